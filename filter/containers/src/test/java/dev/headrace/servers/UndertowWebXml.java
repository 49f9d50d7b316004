package dev.headrace.servers;

import io.undertow.servlet.api.DeploymentInfo;
import io.undertow.servlet.api.FilterInfo;
import io.undertow.servlet.api.ListenerInfo;
import io.undertow.servlet.api.ServletInfo;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.Servlet;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EventListener;
import java.util.List;
import java.util.function.BiConsumer;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** Of a {@code web.xml}: context parameters, listeners, filters, servlets and their mappings. */
final class UndertowWebXml {

  private UndertowWebXml() {}

  static void read(Path file, DeploymentInfo into, ClassLoader loader) throws Exception {
    if (!Files.exists(file)) {
      return;
    }
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
    Element root = factory.newDocumentBuilder().parse(file.toFile()).getDocumentElement();
    parameters(root, "context-param", into::addInitParameter);
    for (Element listener : children(root, "listener")) {
      into.addListener(
          new ListenerInfo(
              loader.loadClass(text(listener, "listener-class")).asSubclass(EventListener.class)));
    }
    filters(root, into, loader);
    servlets(root, into, loader);
  }

  private static void filters(Element root, DeploymentInfo into, ClassLoader loader)
      throws ClassNotFoundException {
    for (Element filter : children(root, "filter")) {
      FilterInfo info =
          new FilterInfo(
              text(filter, "filter-name"),
              loader.loadClass(text(filter, "filter-class")).asSubclass(Filter.class));
      info.setAsyncSupported(text(filter, "async-supported").equals("true"));
      parameters(filter, "init-param", info::addInitParam);
      into.addFilter(info);
    }
    for (Element mapping : children(root, "filter-mapping")) {
      String name = text(mapping, "filter-name");
      List<DispatcherType> dispatchers = new ArrayList<>();
      for (Element dispatcher : children(mapping, "dispatcher")) {
        dispatchers.add(DispatcherType.valueOf(dispatcher.getTextContent().strip()));
      }
      if (dispatchers.isEmpty()) {
        dispatchers.add(DispatcherType.REQUEST);
      }
      for (DispatcherType dispatcher : dispatchers) {
        for (Element pattern : children(mapping, "url-pattern")) {
          into.addFilterUrlMapping(name, pattern.getTextContent().strip(), dispatcher);
        }
        for (Element servlet : children(mapping, "servlet-name")) {
          into.addFilterServletNameMapping(name, servlet.getTextContent().strip(), dispatcher);
        }
      }
    }
  }

  private static void servlets(Element root, DeploymentInfo into, ClassLoader loader)
      throws ClassNotFoundException {
    for (Element servlet : children(root, "servlet")) {
      ServletInfo info =
          new ServletInfo(
              text(servlet, "servlet-name"),
              loader.loadClass(text(servlet, "servlet-class")).asSubclass(Servlet.class));
      info.setAsyncSupported(text(servlet, "async-supported").equals("true"));
      String onStartup = text(servlet, "load-on-startup");
      if (!onStartup.isEmpty()) {
        info.setLoadOnStartup(Integer.parseInt(onStartup));
      }
      parameters(servlet, "init-param", info::addInitParam);
      for (Element mapping : children(root, "servlet-mapping")) {
        if (text(mapping, "servlet-name").equals(info.getName())) {
          children(mapping, "url-pattern")
              .forEach(pattern -> info.addMapping(pattern.getTextContent().strip()));
        }
      }
      into.addServlet(info);
    }
  }

  private static void parameters(Element of, String name, BiConsumer<String, String> into) {
    for (Element parameter : children(of, name)) {
      into.accept(text(parameter, "param-name"), text(parameter, "param-value"));
    }
  }

  private static String text(Element of, String child) {
    List<Element> found = children(of, child);
    return found.isEmpty() ? "" : found.get(0).getTextContent().strip();
  }

  private static List<Element> children(Element of, String name) {
    List<Element> found = new ArrayList<>();
    for (Node node = of.getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node instanceof Element element && element.getTagName().equals(name)) {
        found.add(element);
      }
    }
    return found;
  }
}
