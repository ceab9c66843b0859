// Parses pieces of JavaScript and runs none: a JSON list of texts comes in, a JSON list of answers
// goes out, null or the line and what is wrong. A piece may be a module with `await` outside of
// functions, the inside of a function with `return`, or one entry of an object.
import { readFileSync } from 'node:fs';
import vm from 'node:vm';

const forms = [
  (text) => new vm.SourceTextModule(text),
  (text) => new vm.SourceTextModule(`async () => { ${text}\n}`),
  (text) => new vm.SourceTextModule(`({ ${text}\n})`),
];

function problem(text) {
  let first = null;
  for (const form of forms) {
    try {
      form(text);
      return null;
    } catch (error) {
      first ??= { line: Number(/:(\d+)/.exec(error.stack)?.[1] ?? 1), message: error.message };
    }
  }
  return first;
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(problem)));
