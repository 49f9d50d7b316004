package org.apache.catalina.other;

import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;

/** Makes requests whose class is named as Tomcat's own are. */
public final class TomcatRequest {

  /** Not public, so that what implements it is put into this package. */
  interface Own extends HttpServletRequest {}

  private TomcatRequest() {}

  /** A request that answers as the handler says. */
  public static HttpServletRequest of(InvocationHandler handler) {
    return (Own)
        Proxy.newProxyInstance(
            TomcatRequest.class.getClassLoader(), new Class<?>[] {Own.class}, handler);
  }
}
