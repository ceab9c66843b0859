//! wsdoctor.

pub mod engine;
