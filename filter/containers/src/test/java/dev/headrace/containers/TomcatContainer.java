package dev.headrace.containers;

import java.nio.file.Path;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.Wrapper;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.coyote.http2.Http2Protocol;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;

/** Embedded Tomcat 11 with HTTP/1.1 and HTTP/2 in clear text. */
final class TomcatContainer implements ContainerKind.RunningContainer {

  private static final String SMALL_POOL = "10";

  private final Tomcat tomcat;
  private final Context context;

  TomcatContainer(ContainerKind.Deployment deployment, Path directory) throws Exception {
    tomcat = new Tomcat();
    tomcat.setBaseDir(directory.toAbsolutePath().toString());
    Connector connector = new Connector();
    connector.setPort(0);
    connector.setProperty("address", "127.0.0.1");
    connector.setProperty("maxThreads", "40");
    connector.setProperty("acceptCount", "4096");
    connector.setProperty("maxConnections", "20000");
    connector.setProperty("maxKeepAliveRequests", "-1");
    Http2Protocol http2 = new Http2Protocol();
    connector.addUpgradeProtocol(http2);
    if (deployment.smallPools()) {
      connector.setProperty("processorCache", SMALL_POOL);
      connector.setProperty("socket.bufferPool", SMALL_POOL);
      http2.setDiscardRequestsAndResponses(true); // that pool takes as many as connections may be
    }
    tomcat.setConnector(connector);
    context = tomcat.addContext(deployment.contextPath(), directory.toAbsolutePath().toString());
    if (deployment.legacyFilter() != null) {
      FilterDef definition = new FilterDef();
      definition.setFilterName("legacy");
      definition.setFilter(deployment.legacyFilter());
      definition.setAsyncSupported("false");
      context.addFilterDef(definition);
      FilterMap map = new FilterMap();
      map.setFilterName("legacy");
      map.addURLPattern("/*");
      context.addFilterMap(map);
    }
    if (deployment.servlet() != null) {
      Wrapper wrapper = Tomcat.addServlet(context, "claude", deployment.servlet());
      wrapper.setAsyncSupported(true);
      wrapper.addMapping("/claude/*");
    }
    if (deployment.filter() != null) {
      FilterDef definition = new FilterDef();
      definition.setFilterName("claude");
      definition.setFilter(deployment.filter());
      definition.setAsyncSupported("true");
      context.addFilterDef(definition);
      FilterMap map = new FilterMap();
      map.setFilterName("claude");
      map.addURLPattern("/*");
      map.setDispatcher("REQUEST");
      map.setDispatcher("ASYNC");
      context.addFilterMap(map);
      Tomcat.addServlet(context, "application", new ApplicationServlet()).addMapping("/");
    }
    tomcat.start();
  }

  @Override
  public int port() {
    return tomcat.getConnector().getLocalPort();
  }

  @Override
  public void stopApplication() {
    try {
      context.stop();
    } catch (LifecycleException e) {
      throw new IllegalStateException("the application did not stop", e);
    }
  }

  @Override
  public void close() {
    try {
      tomcat.stop();
      tomcat.destroy();
    } catch (LifecycleException e) {
      throw new IllegalStateException("Tomcat did not stop", e);
    }
  }
}
