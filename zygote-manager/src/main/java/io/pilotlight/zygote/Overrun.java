package io.pilotlight.zygote;

/**
 * A limit that a process has come up against.
 *
 * @param kind which
 * @param limit it in words, with its value: what follows "its"
 */
public record Overrun(Kind kind, String limit) {
  /** What is limited. */
  public enum Kind {
    /** Memory: of the process, of its heap, of its classes, of its direct buffers. */
    MEMORY("memory"),
    /** Processes and threads. */
    PIDS("pids"),
    /** Descriptors. */
    OPEN_FILES("open-files"),
    /** The size of a file. */
    FILE_SIZE("file-size");

    private final String word;

    Kind(String word) {
      this.word = word;
    }

    /** As it stands in answers. */
    public String word() {
      return word;
    }
  }
}
