//! Against servers of our own, which answer by the byte.
