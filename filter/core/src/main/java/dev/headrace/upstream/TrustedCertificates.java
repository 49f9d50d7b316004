package dev.headrace.upstream;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * The certificates that the upstream's TLS may rest on: Java's own, and those of a file of ours.
 */
final class TrustedCertificates {

  private TrustedCertificates() {}

  /**
   * Makes a TLS context for clients.
   *
   * @param caFile PEM file with further trusted certificates, or null for Java's own alone
   * @throws IllegalArgumentException if the file cannot be read or holds no certificate: a security
   *     setting that does not work must stop the start
   */
  static SSLContext tlsContext(@Nullable Path caFile) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, caFile == null ? null : trustManagers(caFile), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("No TLS context: " + e.getMessage(), e);
    }
  }

  private static TrustManager[] trustManagers(Path caFile) throws GeneralSecurityException {
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    try {
      trusted.load(null, null);
      int number = 0;
      for (X509Certificate issuer : javaTrusted()) {
        trusted.setCertificateEntry("java-" + number++, issuer);
      }
      int added = 0;
      try (InputStream in = Files.newInputStream(caFile)) {
        for (Certificate certificate :
            CertificateFactory.getInstance("X.509").generateCertificates(in)) {
          trusted.setCertificateEntry("file-" + added++, certificate);
        }
      }
      if (added == 0) {
        throw new IllegalArgumentException(
            "upstream.ca-file: " + caFile + " holds no certificate (expected: PEM)");
      }
    } catch (IOException | java.security.cert.CertificateException e) {
      throw new IllegalArgumentException(
          "upstream.ca-file: " + caFile + " cannot be read (expected: certificates in PEM)", e);
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(trusted);
    return factory.getTrustManagers();
  }

  private static X509Certificate[] javaTrusted() throws GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init((KeyStore) null);
    for (TrustManager manager : factory.getTrustManagers()) {
      if (manager instanceof X509TrustManager x509) {
        return x509.getAcceptedIssuers();
      }
    }
    return new X509Certificate[0];
  }
}
