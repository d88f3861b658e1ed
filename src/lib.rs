//! Brings the services of a program up together and takes them down gently.
