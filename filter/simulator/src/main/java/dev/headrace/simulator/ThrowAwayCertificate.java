package dev.headrace.simulator;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;

/** A self-signed certificate for 127.0.0.1 and localhost, valid for a day. Immutable. */
final class ThrowAwayCertificate {
  private final X509Bundle bundle;
  private final SslContext context;

  ThrowAwayCertificate() {
    try {
      bundle =
          new CertificateBuilder()
              .ecp256()
              .subject("CN=localhost")
              .addSanDnsName("localhost")
              .addSanIpAddress("127.0.0.1")
              .setIsCertificateAuthority(true)
              .notBefore(Instant.now().minus(Duration.ofHours(1)))
              .notAfter(Instant.now().plus(Duration.ofDays(1)))
              .buildSelfSigned();
      context = SslContextBuilder.forServer(bundle.toKeyManagerFactory()).build();
    } catch (Exception e) {
      throw new IllegalStateException("No certificate could be made", e);
    }
  }

  SslContext context() {
    return context;
  }

  X509Certificate certificate() {
    return bundle.getCertificate();
  }

  String pem() {
    return bundle.getCertificatePEM();
  }

  Path writtenTo(Path file) {
    try {
      return Files.writeString(file, pem());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
