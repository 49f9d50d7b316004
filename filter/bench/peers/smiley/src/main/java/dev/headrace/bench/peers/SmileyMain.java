package dev.headrace.bench.peers;

import org.apache.catalina.Context;
import org.apache.catalina.Wrapper;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.mitre.dsmiley.httpproxy.ProxyServlet;

/** HTTP-Proxy-Servlet ("smiley") on Tomcat: a container thread for each stream. */
public final class SmileyMain {

  private SmileyMain() {}

  /** Starts it; the server's threads keep the process alive. */
  public static void main(String... arguments) throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(arguments[2]);
    Connector connector = new Connector();
    connector.setPort(Integer.parseInt(arguments[0]));
    connector.setProperty("address", "127.0.0.1");
    connector.setProperty("acceptCount", "4096");
    connector.setProperty("maxConnections", "20000");
    connector.setProperty("maxThreads", "10000");
    connector.setProperty("maxKeepAliveRequests", "-1");
    tomcat.setConnector(connector);
    Context context = tomcat.addContext("", arguments[2]);
    Wrapper wrapper = Tomcat.addServlet(context, "proxy", new ProxyServlet());
    wrapper.addInitParameter(ProxyServlet.P_TARGET_URI, "http://127.0.0.1:" + arguments[1]);
    wrapper.addInitParameter(ProxyServlet.P_MAXCONNECTIONS, "10000");
    wrapper.addMapping("/*");
    tomcat.start();
  }
}
