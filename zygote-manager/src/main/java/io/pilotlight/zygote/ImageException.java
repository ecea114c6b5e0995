package io.pilotlight.zygote;

/** An image cannot be written, or not be restored on this machine at this moment. */
public final class ImageException extends Exception {
  private static final long serialVersionUID = 1L;
  private final Reason reason;

  /** Why. */
  public enum Reason {
    /** Another version of Pilotlight wrote it. */
    FORMAT,
    /** A part is missing, too short, or not what was written. */
    DAMAGED,
    /** The processor is of another maker, or lacks a feature that the image's JVM uses. */
    PROCESSOR,
    /** The kernel's vdso is another one, or lies differently. */
    KERNEL,
    /** A file that the image's JVM has mapped or opened is gone or has changed. */
    FILE,
    /** The clocks of the image's JVM would go backwards. */
    CLOCK,
    /** The zygote holds what no image can. */
    UNSUPPORTED,
    /** It was removed: images took more of the disk than they may. */
    BUDGET,
    /** A system call failed. */
    SYSTEM
  }

  /** With what is wrong, and what to do. */
  public ImageException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  ImageException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  /** Why. */
  public Reason reason() {
    return reason;
  }
}
