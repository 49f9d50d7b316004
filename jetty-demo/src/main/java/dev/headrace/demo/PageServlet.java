package dev.headrace.demo;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Serves the files of the page, of its two WebJars and the gateway's client for pages from the
 * class path, and 404 for anything else. Thread-safe.
 *
 * <p>The client is where every servlet container has it that finds the gateway's jar in {@code
 * WEB-INF/lib}: {@code /headrace/headrace.js} (Servlet 4.6, {@code META-INF/resources}).
 *
 * <p>{@code /webjars/marked/lib/marked.esm.js} has no version in its path, so that the pom alone
 * says which one it is. Browsers ask again each time and get 304, so a restarted demo never meets
 * an old page.
 */
final class PageServlet extends HttpServlet {
  private static final long serialVersionUID = 1L;

  /** Everything from here and nothing inline; only DOMPurify may make HTML of text. */
  private static final String CONTENT_SECURITY_POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
          + " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
          + " require-trusted-types-for 'script'; trusted-types dompurify";

  /** No dots but the one of the extension, so no way out of the folder. */
  private static final Pattern PAGE_PATH = Pattern.compile("/[a-z-]+\\.[a-z]+");

  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "mjs", "text/javascript; charset=utf-8",
          "svg", "image/svg+xml");

  private static final Map<String, String> WEBJAR_FILES =
      Map.of(
          "/webjars/marked/lib/marked.esm.js", "marked",
          "/webjars/dompurify/dist/purify.es.mjs", "dompurify");

  private static final String CLIENT = "/headrace/headrace.js";

  private static final class PageFile {
    private final byte[] content;
    private final String type;
    private final String etag;

    PageFile(byte[] content, String type) {
      this.content = content;
      this.type = type;
      this.etag = etagOf(content);
    }
  }

  // Grows by files that exist only.
  private final transient Map<String, PageFile> files = new ConcurrentHashMap<>();

  /** Sets what every answer of the demo itself has. */
  static void addSecurityHeaders(HttpServletResponse response) {
    response.setHeader("Content-Security-Policy", CONTENT_SECURITY_POLICY);
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setHeader("Referrer-Policy", "no-referrer");
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  }

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    addSecurityHeaders(response);
    response.setHeader("Cache-Control", "no-cache");
    String path = request.getRequestURI();
    PageFile file = find(path.equals("/") ? "/index.html" : path);
    if (file == null) {
      send(response, HttpServletResponse.SC_NOT_FOUND, "Not found: there is only / here.\n");
      return;
    }
    response.setHeader("ETag", file.etag);
    if (file.etag.equals(request.getHeader("If-None-Match"))) {
      response.setStatus(HttpServletResponse.SC_NOT_MODIFIED);
      return;
    }
    response.setContentType(file.type);
    response.setContentLength(file.content.length);
    response.getOutputStream().write(file.content);
  }

  private static void send(HttpServletResponse response, int status, String text)
      throws IOException {
    response.setStatus(status);
    response.setContentType("text/plain; charset=utf-8");
    response.getWriter().write(text);
  }

  private @Nullable PageFile find(String path) throws IOException {
    PageFile known = files.get(path);
    if (known != null) {
      return known;
    }
    String resource = resourceOf(path);
    String type = TYPES.get(path.substring(path.lastIndexOf('.') + 1));
    if (resource == null || type == null) {
      return null;
    }
    try (InputStream in = PageServlet.class.getResourceAsStream(resource)) {
      if (in == null) {
        return null;
      }
      PageFile file = new PageFile(in.readAllBytes(), type);
      files.put(path, file);
      return file;
    }
  }

  private static @Nullable String resourceOf(String path) throws IOException {
    if (path.equals(CLIENT)) {
      return "/META-INF/resources" + CLIENT;
    }
    String webjar = WEBJAR_FILES.get(path);
    if (webjar == null) {
      return PAGE_PATH.matcher(path).matches() ? "page" + path : null;
    }
    String inside = path.substring(("/webjars/" + webjar).length());
    return "/META-INF/resources/webjars/" + webjar + "/" + versionOf(webjar) + inside;
  }

  private static String versionOf(String webjar) throws IOException {
    String resource = "/META-INF/maven/org.webjars.npm/" + webjar + "/pom.properties";
    try (InputStream in = PageServlet.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException("The WebJar of " + webjar + " is not on the class path");
      }
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version");
    }
  }

  private static String etagOf(byte[] content) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(content);
      return '"' + HexFormat.of().formatHex(hash, 0, 12) + '"';
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }
}
