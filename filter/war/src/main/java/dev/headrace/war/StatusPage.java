package dev.headrace.war;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.headrace.Gateway;
import dev.headrace.config.IdentitySource;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.stream.Collectors;

/**
 * The page at the root of the application. Everybody sees whether the gateway takes requests and
 * how to call it, which they could also find out by calling; version, identity sources and load are
 * for those who may read the metrics. No secret, path or user is ever on it. Immutable.
 */
final class StatusPage {

  private static final String TEMPLATE = resource("status.html");
  private static final String HOW_TO_CONFIGURE = resource("not-configured.html");
  private static final String VERSION = version();

  /** Lets nothing in but the page's own style and script. */
  static final String CONTENT_SECURITY_POLICY =
      "default-src 'none'; style-src 'sha256-"
          + sha256(between("<style>", "</style>"))
          + "'; script-src 'sha256-"
          + sha256(between("<script>", "</script>"))
          + "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private final int status;
  private final String html;

  private StatusPage(int status, String html) {
    this.status = status;
    this.html = html;
  }

  static StatusPage of(Deployment deployment, HttpServletRequest request) {
    Gateway gateway = deployment.gateway();
    if (gateway == null) {
      return switch (deployment.state()) {
        case NOT_CONFIGURED -> page(503, "warn", "Not configured", HOW_TO_CONFIGURE);
        case SWITCHED_OFF ->
            page(
                503,
                "off",
                "Switched off",
                "<p>The settings say <code>enabled: false</code>. No request is answered.</p>");
        case WRONG_SETTINGS ->
            page(
                503,
                "bad",
                "Settings are wrong",
                "<p>The settings are wrong: see the server&rsquo;s log, which lists all mistakes"
                    + " with their lines. Mend them and deploy again. Until then no request is"
                    + " answered.</p>");
        default ->
            page(
                503,
                "bad",
                "Did not start",
                "<p>The gateway did not start: see the server&rsquo;s log. No request is"
                    + " answered.</p>");
      };
    }
    boolean ready = gateway.isReady();
    String body = use(gateway, request) + operation(gateway, request);
    return ready
        ? page(200, "good", "Ready", body)
        : page(503, "warn", "Draining", "<p>No new requests are taken.</p>" + body);
  }

  int status() {
    return status;
  }

  String html() {
    return html;
  }

  // ---- parts ----

  private static String use(Gateway gateway, HttpServletRequest request) {
    String path = request.getContextPath() + Deployment.mountOf(gateway);
    String base =
        "<span data-path=\"" + escaped(path) + "\">" + escaped(origin(request) + path) + "</span>";
    List<IdentitySource> sources = gateway.settings().identity().sources();
    StringBuilder html = new StringBuilder();
    if (sources.isEmpty()) {
      html.append(
          "<p class=\"note\"><strong>Open to everybody who can reach it.</strong> The settings name"
              + " no <code>identity.sources</code>: nobody has to say who they are, and the"
              + " operator pays.</p>");
    }
    boolean keys = sources.contains(IdentitySource.KEY);
    html.append("<h2>Use it</h2><p>Base URL for any Anthropic SDK:</p><pre>")
        .append(base)
        .append("</pre>");
    html.append("<p>")
        .append(
            sources.isEmpty()
                ? "No key is asked for; SDKs want one all the same, so give them any word."
                : keys
                    ? "Give the SDK your gateway key as its API key."
                    : "Who you are is known without a gateway key: SDKs want an API key all the"
                        + " same, so give them any word.")
        .append("</p><p>Or ask from a shell:</p><pre>")
        .append("curl -N ")
        .append(base)
        .append("/v1/messages \\\n  -H 'content-type: application/json' \\\n")
        .append("  -H 'anthropic-version: 2026-10-21' \\\n")
        .append(keys ? "  -H \"x-api-key: $GATEWAY_KEY\" \\\n" : "")
        .append("  -d '{\"model\":\"claude-sonnet-5-5\",\"max_tokens\":200,\"stream\":true,\n")
        .append("       \"messages\":[{\"role\":\"user\",\"content\":\"Hello!\"}]}'</pre>");
    return html.toString();
  }

  private static String operation(Gateway gateway, HttpServletRequest request) {
    String context = escaped(request.getContextPath());
    String ready = "<a href=\"" + context + "/ops/ready\">ops/ready</a>";
    if (!gateway.mayReadMetrics(request)) {
      return "<h2>Operation</h2><p>For load balancers: "
          + ready
          + ". More is shown to the addresses of <code>metrics.addresses</code>.</p>";
    }
    List<IdentitySource> sources = gateway.settings().identity().sources();
    return "<h2>Operation</h2><dl>"
        + row("Version", escaped(VERSION))
        + row("Running exchanges", Integer.toString(gateway.runningExchanges()))
        + row(
            "Who is calling",
            sources.isEmpty()
                ? "nobody has to be anybody (<code>identity.sources</code> is not set)"
                : sources.stream()
                    .map(source -> source.name().toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining(", ")))
        + row("Gateway keys", sources.contains(IdentitySource.KEY) ? "in force" : "not in force")
        + row("Mount", "<code>" + escaped(gateway.settings().mount()) + "</code>")
        + row("Links", ready + " &middot; <a href=\"" + context + "/ops/metrics\">ops/metrics</a>")
        + "</dl><p class=\"small\">Shown to the addresses of <code>metrics.addresses</code>"
        + " only.</p>";
  }

  private static String row(String name, String value) {
    return "<div><dt>" + name + "</dt><dd>" + value + "</dd></div>";
  }

  private static StatusPage page(int status, String mood, String state, String body) {
    return new StatusPage(
        status,
        TEMPLATE.replace("{{mood}}", mood).replace("{{state}}", state).replace("{{body}}", body));
  }

  /** As the container sees it; a script on the page puts in what the browser sees. */
  private static String origin(HttpServletRequest request) {
    String url = request.getRequestURL().toString();
    int slash = url.indexOf('/', url.indexOf("://") + 3);
    return slash < 0 ? url : url.substring(0, slash);
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }

  // ---- the template ----

  private static String between(String start, String end) {
    int from = TEMPLATE.indexOf(start) + start.length();
    return TEMPLATE.substring(from, TEMPLATE.indexOf(end, from));
  }

  private static String sha256(String text) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
      return Base64.getEncoder().encodeToString(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static String version() {
    Properties properties = new Properties();
    try (InputStream in = StatusPage.class.getResourceAsStream("version.properties")) {
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return properties.getProperty("version", "unknown");
  }

  private static String resource(String name) {
    try (InputStream in = StatusPage.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no " + name);
      }
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
