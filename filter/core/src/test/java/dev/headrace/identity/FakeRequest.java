package dev.headrace.identity;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpSession;
import java.lang.reflect.Proxy;
import java.security.Principal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A request as far as identification looks at one; every other call fails, {@code getSession(true)}
 * above all. Not thread-safe.
 */
final class FakeRequest {
  private final List<Map.Entry<String, String>> headers = new ArrayList<>();
  private final Map<String, Object> session = new HashMap<>();
  private boolean hasSession;
  private boolean sessionIsInvalid;
  private @Nullable Principal principal;
  private @Nullable String remoteUser; // the principal's name as a rule
  private Set<String> roles = Set.of();
  private @Nullable String remoteAddress = "198.51.100.7";
  private String method = "POST";
  private String url = "http://gateway.example.com:8080";

  static FakeRequest post() {
    return new FakeRequest();
  }

  FakeRequest method(String name) {
    method = name;
    return this;
  }

  FakeRequest header(String name, String value) {
    headers.add(Map.entry(name, value));
    return this;
  }

  FakeRequest from(@Nullable String address) {
    remoteAddress = address;
    return this;
  }

  FakeRequest at(String schemeHostPort) {
    url = schemeHostPort;
    return this;
  }

  FakeRequest login(String name, String... itsRoles) {
    principal = () -> name;
    remoteUser = name;
    roles = Set.of(itsRoles);
    return this;
  }

  /** Another name than the principal's, as a filter in front may leave it; null for none. */
  FakeRequest remoteUser(@Nullable String name) {
    remoteUser = name;
    return this;
  }

  FakeRequest session(String attribute, Object value) {
    hasSession = true;
    session.put(attribute, value);
    return this;
  }

  FakeRequest endedSession() {
    hasSession = true;
    sessionIsInvalid = true;
    return this;
  }

  HttpServletRequest request() {
    return (HttpServletRequest)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {HttpServletRequest.class},
            (proxy, called, arguments) -> answer(called.getName(), arguments));
  }

  private @Nullable Object answer(String name, Object @Nullable [] arguments) {
    Object first = arguments == null || arguments.length == 0 ? "" : arguments[0];
    java.net.URI uri = java.net.URI.create(url);
    return switch (name) {
      case "getMethod" -> method;
      case "getRemoteAddr" -> remoteAddress;
      case "getUserPrincipal" -> principal;
      case "getRemoteUser" -> remoteUser;
      case "isUserInRole" -> roles.contains((String) first);
      case "getHeaders" -> Collections.enumeration(values((String) first));
      case "getHeader" -> values((String) first).stream().findFirst().orElse(null);
      case "getContentType" -> values("Content-Type").stream().findFirst().orElse(null);
      case "getScheme" -> uri.getScheme();
      case "getServerName" -> uri.getRawAuthority().replaceFirst(":\\d+$", "");
      case "getServerPort" -> Integer.parseInt(uri.getRawAuthority().replaceFirst(".*:", ""));
      case "getSession" -> sessionIfAny(Boolean.FALSE.equals(first));
      default -> throw new UnsupportedOperationException(name);
    };
  }

  private List<String> values(String header) {
    return headers.stream()
        .filter(each -> each.getKey().equalsIgnoreCase(header))
        .map(Map.Entry::getValue)
        .toList();
  }

  private @Nullable HttpSession sessionIfAny(boolean onlyIfThere) {
    if (!onlyIfThere) {
      throw new AssertionError("a session would be created");
    }
    if (!hasSession) {
      return null;
    }
    return (HttpSession)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {HttpSession.class},
            (proxy, called, arguments) -> {
              if (!called.getName().equals("getAttribute")) {
                throw new UnsupportedOperationException(called.getName());
              }
              if (sessionIsInvalid) {
                throw new IllegalStateException("the session was invalidated");
              }
              return session.get((String) arguments[0]);
            });
  }
}
