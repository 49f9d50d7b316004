package dev.headrace.output;

/** Events for small tests, with {@code '} for {@code "}. */
final class Streams {
  static final String START =
      event("message_start", ",'message':{'id':'msg_1','model':'claude-opus-5-5','content':[]}");
  static final String STOP = event("message_stop", "");

  private Streams() {}

  /** An event; its data has this behind the type. */
  static String event(String name, String members) {
    String json = "{'type':'" + name + "'" + members + "}";
    return "event: " + name + "\ndata: " + json.replace('\'', '"') + "\n\n";
  }

  static String start(int index, String block) {
    return event("content_block_start", ",'index':" + index + ",'content_block':" + block);
  }

  static String textStart(int index) {
    return start(index, "{'type':'text','text':''}");
  }

  static String toolStart(int index) {
    return start(
        index, "{'type':'tool_use','id':'toolu_" + index + "','name':'look_up','input':{}}");
  }

  static String delta(int index, String type, String member, String escaped) {
    return event(
        "content_block_delta",
        ",'index':"
            + index
            + ",'delta':{'type':'"
            + type
            + "','"
            + member
            + "':'"
            + escaped
            + "'}");
  }

  static String text(int index, String escaped) {
    return delta(index, "text_delta", "text", escaped);
  }

  static String thinking(int index, String escaped) {
    return delta(index, "thinking_delta", "thinking", escaped);
  }

  static String input(int index, String escaped) {
    return delta(index, "input_json_delta", "partial_json", escaped);
  }

  static String stop(int index) {
    return event("content_block_stop", ",'index':" + index);
  }

  static String reason(String json) {
    return event("message_delta", ",'delta':{'stop_reason':" + json + "},'usage':{}");
  }

  static String error(String type) {
    return event(
        "error",
        ",'error':{'details':null,'type':'"
            + type
            + "','message':'Overloaded'},'request_id':'req_1'");
  }
}
