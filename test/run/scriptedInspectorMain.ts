// An inspector that ends without an answer, as one does whose memory runs out.
process.exit(134);
