// Environment variables by which the extension tells its server, and the server its trainers, where TensorFlow may be.
// On the command line a user may set them, too.

export const tensorflowVariables = {
  /** What the user chose: a Python interpreter, its environment, or a folder with the libraries. Nothing else is tried then. */
  chosen: 'KAFSCOPE_TENSORFLOW',
  /** Python environments and interpreters of the workspace, the likeliest first, separated as `PATH` is. */
  environments: 'KAFSCOPE_PYTHON_ENVIRONMENTS',
} as const;
