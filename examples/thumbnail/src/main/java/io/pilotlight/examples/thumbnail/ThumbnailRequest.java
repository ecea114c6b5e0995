package io.pilotlight.examples.thumbnail;

/** A picture, and how wide its thumbnail should be. */
public final class ThumbnailRequest {
  private String image = "";
  private int width = 160;

  /** The picture, a JPEG in base64. */
  public String getImage() {
    return image;
  }

  /** Sets the picture. */
  public void setImage(String image) {
    this.image = image;
  }

  /** Width of the thumbnail in pixels. */
  public int getWidth() {
    return width;
  }

  /** Sets the width. */
  public void setWidth(int width) {
    this.width = width;
  }
}
