//! What Azurite never answers, from a server that says what it is told to.
