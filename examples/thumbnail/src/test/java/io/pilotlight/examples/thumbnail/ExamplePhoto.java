package io.pilotlight.examples.thumbnail;

import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Random;
import javax.imageio.ImageIO;

/** Makes the picture of the example payload: hills at dusk, with the grain of a photograph. */
final class ExamplePhoto {
  private static final int WIDTH = 480;
  private static final int HEIGHT = 320;

  private ExamplePhoto() {}

  /** Writes the payload to the file that is named. */
  public static void main(String[] args) throws IOException {
    String base64 = Base64.getEncoder().encodeToString(jpeg());
    Files.writeString(Path.of(args[0]), "{\"width\": 160, \"image\": \"" + base64 + "\"}\n");
  }

  private static byte[] jpeg() throws IOException {
    BufferedImage photo = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = photo.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.setPaint(
        new GradientPaint(0, 0, new Color(40, 50, 110), 0, HEIGHT, new Color(240, 150, 80)));
    graphics.fillRect(0, 0, WIDTH, HEIGHT);
    graphics.setColor(new Color(250, 225, 160));
    graphics.fillOval(320, 120, 60, 60);
    for (int hill = 0; hill < 4; hill++) {
      graphics.setColor(new Color(50 - 10 * hill, 70 - 15 * hill, 70 - 15 * hill));
      graphics.fillOval(-120 + 130 * hill, 190 + 20 * hill, 340, 300);
    }
    graphics.dispose();
    grain(photo);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(photo, "jpeg", out);
    return out.toByteArray();
  }

  private static void grain(BufferedImage photo) {
    Random random = new Random(7);
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        Color color = new Color(photo.getRGB(x, y));
        int shift = random.nextInt(13) - 6;
        photo.setRGB(
            x,
            y,
            new Color(
                    clamp(color.getRed() + shift),
                    clamp(color.getGreen() + shift),
                    clamp(color.getBlue() + shift))
                .getRGB());
      }
    }
  }

  private static int clamp(int value) {
    return Math.max(0, Math.min(255, value));
  }
}
