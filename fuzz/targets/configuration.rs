#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wsdoctor_fuzz::configuration(data));
