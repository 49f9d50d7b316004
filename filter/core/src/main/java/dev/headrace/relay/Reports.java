package dev.headrace.relay;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.messages.ApiError;
import dev.headrace.usage.Ledger;
import dev.headrace.usage.ReportQuery;
import dev.headrace.usage.ReportUnavailableException;
import dev.headrace.usage.UsageReport;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URLDecoder;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers {@code GET <mount>/ops/usage} for those who may read the books. The database is asked on
 * a thread of the ledger's, or on the container's where asynchronous requests are not supported.
 * Thread-safe.
 */
final class Reports {

  private static final Logger LOG = LoggerFactory.getLogger(Reports.class);
  private static final String BEARER = "bearer ";

  private final GatewaySettings.Usage settings;
  private final Ledger ledger;

  Reports(GatewaySettings.Usage settings, Ledger ledger) {
    this.settings = settings;
    this.ledger = ledger;
  }

  void handle(HttpServletRequest request, HttpServletResponse response) throws IOException {
    ApiError refusal = refusal(request);
    if (refusal != null) {
      answer(response, refusal);
      return;
    }
    ReportQuery query;
    try {
      query = ReportQuery.parse(parameters(request.getQueryString()), Clock.systemUTC());
    } catch (IllegalArgumentException e) {
      String message = e.getMessage();
      answer(
          response,
          error(400, message == null ? "The query of the report cannot be read." : message));
      return;
    }
    if (request.isAsyncSupported()) {
      start(request, response, query);
    } else {
      report(response, query);
    }
  }

  // ---- who may ----

  private @Nullable ApiError refusal(HttpServletRequest request) {
    String role = settings.reportRole();
    if (role == null && settings.reportKey() == null) {
      return error(
          404,
          "There is no usage report: the operator opens it with usage.report-role or"
              + " usage.report-key.");
    }
    if (!mayRead(request, role)) {
      return request.getUserPrincipal() != null
          ? error(403, "This user may not read the usage report.")
          : error(
              401,
              "The usage report needs "
                  + (settings.reportKey() == null
                      ? "a user with the role of usage.report-role."
                      : "the key of usage.report-key, in x-api-key or as a bearer token."));
    }
    return ledger.hasDatabase()
        ? null
        : error(
            404,
            "There is no usage report without a database: the operator names one with"
                + " usage.jdbc-url or usage.data-source.");
  }

  private boolean mayRead(HttpServletRequest request, @Nullable String role) {
    Secret key = settings.reportKey();
    if (key != null) {
      String apiKey = request.getHeader("x-api-key");
      String authorization = request.getHeader("Authorization");
      if (apiKey != null && key.equals(Secret.of(apiKey))) {
        return true;
      }
      if (authorization != null
          && authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())
          && key.equals(Secret.of(authorization.substring(BEARER.length()).strip()))) {
        return true;
      }
    }
    return role != null && request.isUserInRole(role);
  }

  /** Decoded here, since a container would take the parameters out of a body, too. */
  private static Map<String, String> parameters(@Nullable String query) {
    Map<String, String> parameters = new LinkedHashMap<>();
    if (query == null || query.isEmpty()) {
      return parameters;
    }
    for (String pair : query.split("&", -1)) {
      int equals = pair.indexOf('=');
      String name = equals < 0 ? pair : pair.substring(0, equals);
      String value = equals < 0 ? "" : pair.substring(equals + 1);
      if (name.isEmpty() && value.isEmpty()) {
        continue;
      }
      if (parameters.put(decoded(name), decoded(value)) != null) {
        throw new IllegalArgumentException(
            "A parameter is given twice (expected: from, to, by and format once each).");
      }
    }
    return parameters;
  }

  private static String decoded(String text) {
    try {
      return URLDecoder.decode(text, UTF_8);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "The query has a broken percent sequence (expected: %20 or the like).", e);
    }
  }

  // ---- the answer ----

  private void start(HttpServletRequest request, HttpServletResponse response, ReportQuery query) {
    AsyncContext async = request.startAsync(request, response);
    async.setTimeout(0); // the query has a clock of its own
    boolean started = ledger.executeReport(() -> answerAndComplete(async, response, query));
    if (!started) {
      try {
        answer(response, busy("As many usage reports as may run at a time are running."));
      } catch (IOException | RuntimeException e) {
        LOG.debug("The client of a usage report has left", e);
      } finally {
        async.complete();
      }
    }
  }

  private void answerAndComplete(
      AsyncContext async, HttpServletResponse response, ReportQuery query) {
    try {
      report(response, query);
    } catch (IOException | RuntimeException e) {
      LOG.debug("The client of a usage report has left", e);
    } finally {
      try {
        async.complete();
      } catch (RuntimeException e) {
        LOG.debug("The container has completed the request itself", e);
      }
    }
  }

  private void report(HttpServletResponse response, ReportQuery query) throws IOException {
    UsageReport report;
    try {
      report = ledger.report(query);
    } catch (ReportUnavailableException e) {
      LOG.warn("No usage report: {}", e.getMessage(), e.getCause());
      answer(response, busy(e.getMessage()));
      return;
    } catch (RuntimeException e) {
      LOG.error("No usage report", e);
      answer(response, error(500, "The usage report failed; the server's log says why."));
      return;
    }
    if (query.format() == ReportQuery.Format.CSV) {
      response.setHeader(
          "Content-Disposition",
          "attachment; filename=\"usage-" + query.from() + "-" + query.to() + ".csv\"");
    }
    if (report.isTruncated()) {
      response.setHeader("headrace-report-truncated", "true");
    }
    write(response, 200, report.contentType(), report.bytes());
  }

  private static ApiError error(int status, String message) {
    return new ApiError(status, ApiError.typeOf(status), message, null);
  }

  private static ApiError busy(@Nullable String message) {
    return error(503, message == null ? "The usage report is not available." : message);
  }

  private static void answer(HttpServletResponse response, ApiError error) throws IOException {
    if (error.status() == 401) {
      response.setHeader("WWW-Authenticate", "Bearer"); // RFC 9110, 15.5.2
    } else if (error.status() == 503) {
      response.setHeader("Retry-After", "10");
    }
    write(response, error.status(), "application/json", error.json());
  }

  private static void write(
      HttpServletResponse response, int status, String contentType, byte[] body)
      throws IOException {
    response.setStatus(status);
    response.setContentType(contentType);
    Containers.labelUtf8(response, contentType);
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setContentLength(body.length);
    response.getOutputStream().write(body);
  }
}
