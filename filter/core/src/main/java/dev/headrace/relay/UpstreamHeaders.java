package dev.headrace.relay;

import dev.headrace.upstream.HeaderField;
import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the request headers that travel to the upstream: {@code accept}, {@code content-type},
 * every {@code anthropic-*} (a contract that Anthropic publishes for gateways), and what {@code
 * upstream.forward-headers} adds. Everything else of the client stays here, its credentials,
 * cookies and origin above all. With a body that was read here goes what it was read as. Immutable
 * and thread-safe.
 */
final class UpstreamHeaders {

  private static final String ANTHROPIC = "anthropic-";
  private static final String CONTENT_ENCODING = "content-encoding";
  private static final String CONTENT_TYPE = ReadBodyHeaders.CONTENT_TYPE;
  private static final String VERSION = ReadBodyHeaders.VERSION;
  private static final HeaderField JSON = new HeaderField(CONTENT_TYPE, "application/json");

  /** API reference, "Version and beta headers", as of 2026-11-22. */
  private static final String PRESET_VERSION = "2026-10-21";

  private final List<String> forwarded;

  /**
   * @param extra names from the settings, already checked there
   */
  UpstreamHeaders(List<String> extra) {
    List<String> names = new ArrayList<>(List.of("accept", CONTENT_TYPE));
    extra.forEach(name -> names.add(name.toLowerCase(Locale.ROOT)));
    this.forwarded = List.copyOf(names);
  }

  /** The header fields that an upstream request takes over, and ours but for the credentials. */
  List<HeaderField> of(HttpServletRequest clientRequest, Endpoint endpoint) {
    List<HeaderField> fields = of(clientRequest);
    if (endpoint.kind() == Endpoint.Kind.OPAQUE) { // of others the body is read, so it has none
      addAll(fields, CONTENT_ENCODING, clientRequest.getHeaders(CONTENT_ENCODING));
    } else {
      sayHowItWasRead(fields);
    }
    return fields;
  }

  /** Once each, whatever {@link ReadBodyHeaders} has let pass. */
  private static void sayHowItWasRead(List<HeaderField> fields) {
    Set<String> versions = new HashSet<>();
    fields.removeIf(
        field -> field.is(CONTENT_TYPE) || (field.is(VERSION) && !versions.add(field.value())));
    fields.add(JSON);
  }

  private List<HeaderField> of(HttpServletRequest clientRequest) {
    List<HeaderField> fields = new ArrayList<>();
    for (String name : forwarded) {
      addAll(fields, name, clientRequest.getHeaders(name));
    }
    // The only place that looks at the client's header names: the prefix is the allow-list.
    for (String name : Collections.list(names(clientRequest))) {
      String lowerCase = name.toLowerCase(Locale.ROOT);
      if (lowerCase.startsWith(ANTHROPIC) && !forwarded.contains(lowerCase)) {
        addAll(fields, lowerCase, clientRequest.getHeaders(name));
      }
    }
    // The API compresses event streams for whoever lets it, and then nobody can look into them.
    fields.add(new HeaderField("accept-encoding", "identity"));
    return fields;
  }

  /**
   * The same for a preset: what the client asks of the API by headers counts no more than by fields
   * of the body (beta features, workspace, user profile), but for what {@code
   * upstream.forward-headers} lists (beta features never); and a page need not know the API's
   * version.
   */
  List<HeaderField> ofPreset(HttpServletRequest clientRequest) {
    List<HeaderField> fields = of(clientRequest);
    fields.removeIf(this::isAskedOfTheApi);
    sayHowItWasRead(fields);
    if (fields.stream().noneMatch(field -> field.is(VERSION))) {
      fields.add(new HeaderField(VERSION, PRESET_VERSION));
    }
    return fields;
  }

  private boolean isAskedOfTheApi(HeaderField field) {
    String name = field.name();
    return field.is("anthropic-beta")
        || (name.startsWith(ANTHROPIC) && !field.is(VERSION) && !forwarded.contains(name));
  }

  private static Enumeration<String> names(HttpServletRequest request) {
    Enumeration<String> names = request.getHeaderNames();
    return names == null ? Collections.emptyEnumeration() : names;
  }

  private static void addAll(
      List<HeaderField> fields, String name, @Nullable Enumeration<String> values) {
    while (values != null && values.hasMoreElements()) {
      String value = values.nextElement();
      if (HeaderField.isValid(name, value)) {
        fields.add(new HeaderField(name, value));
      }
    }
  }
}
