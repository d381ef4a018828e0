#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ots_proto_fuzz::run("sql_rows", data));
