package io.pilotlight.examples.orders;

import java.time.Duration;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;

/** Signs links under which a customer can fetch a receipt without an account. */
final class ReceiptLinks {
  private static final Duration VALID = Duration.ofHours(12);

  private final S3Presigner presigner;
  private final String bucket;

  ReceiptLinks(AwsCredentialsProvider credentials, Region region, String bucket) {
    this.presigner = S3Presigner.builder().credentialsProvider(credentials).region(region).build();
    this.bucket = bucket;
  }

  /** A link to the receipt of this order. Computed here: nothing is asked over the network. */
  String linkFor(Order order) {
    String fileName = order.orderId() + ".pdf";
    return presigner
        .presignGetObject(
            presign ->
                presign
                    .signatureDuration(VALID)
                    .getObjectRequest(
                        get ->
                            get.bucket(bucket)
                                .key(order.customer().country() + "/" + fileName)
                                .responseContentType("application/pdf")
                                .responseContentDisposition(
                                    "attachment; filename=\"" + fileName + "\"")))
        .url()
        .toString();
  }
}
