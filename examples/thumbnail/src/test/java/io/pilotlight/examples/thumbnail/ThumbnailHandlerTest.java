package io.pilotlight.examples.thumbnail;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import javax.imageio.ImageIO;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

final class ThumbnailHandlerTest {
  private final ThumbnailHandler handler = new ThumbnailHandler();

  @Test
  void scalesTheExamplePhoto() throws IOException {
    ThumbnailRequest request = examplePhoto();
    byte[] jpeg = Base64.getDecoder().decode(request.getImage());
    assertThat(jpeg).startsWith(0xff, 0xd8, 0xff);

    ThumbnailResponse response = handler.handleRequest(request, null);

    assertThat(response.getWidth()).isEqualTo(160);
    assertThat(response.getHeight()).isEqualTo(107);
    byte[] png = Base64.getDecoder().decode(response.getImage());
    assertThat(png).startsWith(0x89, 'P', 'N', 'G');
    BufferedImage thumbnail = ImageIO.read(new ByteArrayInputStream(png));
    assertThat(thumbnail.getWidth()).isEqualTo(160);
    assertThat(thumbnail.getHeight()).isEqualTo(107);
    BufferedImage photo = ImageIO.read(new ByteArrayInputStream(jpeg));
    assertThat(blueOf(thumbnail.getRGB(5, 2))).isCloseTo(blueOf(photo.getRGB(15, 6)), within(20));
  }

  @Test
  void refusesAWidthOutOfRange() throws IOException {
    ThumbnailRequest request = examplePhoto();
    request.setWidth(0);

    assertThatThrownBy(() -> handler.handleRequest(request, null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("width 0");
  }

  @Test
  void refusesWhatIsNoPicture() {
    ThumbnailRequest request = new ThumbnailRequest();
    request.setImage(Base64.getEncoder().encodeToString(new byte[64]));

    assertThatThrownBy(() -> handler.handleRequest(request, null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("64 bytes that no decoder knows");
  }

  @Test
  void refusesWhatIsNotBase64() {
    ThumbnailRequest request = new ThumbnailRequest();
    request.setImage("***");

    assertThatThrownBy(() -> handler.handleRequest(request, null))
        .hasMessageContaining("image is not base64");
  }

  private static int blueOf(int rgb) {
    return rgb & 0xff;
  }

  private static Offset<Integer> within(int distance) {
    return Offset.offset(distance);
  }

  private static ThumbnailRequest examplePhoto() throws IOException {
    try (InputStream in = ThumbnailHandler.class.getResourceAsStream("/examples/photo.json")) {
      return new ObjectMapper().readValue(in, ThumbnailRequest.class);
    }
  }
}
