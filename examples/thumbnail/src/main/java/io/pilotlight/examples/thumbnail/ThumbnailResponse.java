package io.pilotlight.examples.thumbnail;

/** A thumbnail. */
public final class ThumbnailResponse {
  private final int width;
  private final int height;
  private final String image;

  ThumbnailResponse(int width, int height, String image) {
    this.width = width;
    this.height = height;
    this.image = image;
  }

  /** Its width in pixels. */
  public int getWidth() {
    return width;
  }

  /** Its height in pixels; the proportions are the picture's. */
  public int getHeight() {
    return height;
  }

  /** A PNG in base64. */
  public String getImage() {
    return image;
  }
}
