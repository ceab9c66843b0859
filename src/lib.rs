//! wsdoctor.
