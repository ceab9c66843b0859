// Parses pieces of JavaScript and runs none: a JSON list of texts comes in, a JSON list of answers
// goes out, null or the line and what is wrong. A piece may be a module with `await` outside of
// functions, the inside of a function with `return`, entries of an object, or the calls of a chain.
import { readFileSync } from 'node:fs';
import vm from 'node:vm';

const forms = [
  (text) => text,
  (text) => `async () => { ${text}\n}`,
  (text) => `({ ${text}\n})`,
  (text) => `any${text}`,
];

function complaint(text) {
  try {
    new vm.SourceTextModule(text);
    return null;
  } catch (error) {
    return error.message;
  }
}

// Only scripts tell the line, and these have neither imports nor exports.
function lineOf(text) {
  const script = text.replace(/^import .*$/gm, ';').replace(/^export (default )?/gm, '');
  try {
    new vm.Script(`async () => { ${script}\n}`, { filename: 'piece' });
  } catch (error) {
    return Number(/^piece:(\d+)/.exec(error.stack)?.[1] ?? 1);
  }
  return 1;
}

function problem(text) {
  const complaints = forms.map((form) => complaint(form(text)));
  return complaints.includes(null) ? null : { line: lineOf(text), message: complaints[0] };
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(problem)));
