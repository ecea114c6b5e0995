package io.pilotlight.examples.thumbnail;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import javax.imageio.ImageIO;

/** Scales a JPEG and answers with a PNG. */
public final class ThumbnailHandler implements RequestHandler<ThumbnailRequest, ThumbnailResponse> {
  private static final int MAX_WIDTH = 1024;

  /** Prepares Java2D for a machine without a screen, and ImageIO to keep its work in memory. */
  public ThumbnailHandler() {
    System.setProperty("java.awt.headless", "true");
    ImageIO.setUseCache(false);
  }

  @Override
  public ThumbnailResponse handleRequest(ThumbnailRequest request, Context context) {
    int width = request.getWidth();
    if (width < 1 || width > MAX_WIDTH) {
      throw new IllegalArgumentException(
          "width " + width + " is not within 1 to " + MAX_WIDTH + " pixels");
    }
    try {
      BufferedImage scaled = scale(decode(request.getImage()), width);
      return new ThumbnailResponse(scaled.getWidth(), scaled.getHeight(), encode(scaled));
    } catch (IOException e) {
      throw new UncheckedIOException("image cannot be read: " + e.getMessage(), e);
    }
  }

  private static BufferedImage decode(String base64) throws IOException {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("image is not base64: " + e.getMessage(), e);
    }
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(bytes));
    if (image == null) {
      throw new IllegalArgumentException(
          "image is not a picture: " + bytes.length + " bytes that no decoder knows");
    }
    return image;
  }

  private static BufferedImage scale(BufferedImage image, int width) {
    int height = Math.max(1, Math.round((float) image.getHeight() * width / image.getWidth()));
    BufferedImage scaled = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = scaled.createGraphics();
    try {
      graphics.setRenderingHint(
          RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
      graphics.drawImage(image, 0, 0, width, height, null);
    } finally {
      graphics.dispose();
    }
    return scaled;
  }

  private static String encode(BufferedImage image) throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(image, "png", png);
    return Base64.getEncoder().encodeToString(png.toByteArray());
  }
}
