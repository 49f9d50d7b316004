package dev.headrace.simulator;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;

/** Plausible Markdown that picks up the words of a question. Pure. */
final class ChatTexts {
  static final String SHORT =
      "Yes, that works. The short version: **measure first**, change one thing, measure again.";

  static final String THOUGHTS =
      "The question has two parts. First what is asked: a number, not a proof. 84 = 36·2 + 12 and"
          + " 36 = 12·3, so the remainder is zero. That settles it. I should answer briefly.";

  static final String PROSE =
      """
      A stream is a promise kept in small pieces. The first piece says that somebody is there; every \
      further one says that they still are. Between two pieces nobody can know whether the other side \
      thinks, sleeps or is gone, and so each side keeps a clock.

      That is why a good relay passes every byte on at once, keeps no more of them than it must, and \
      tells both sides when one of them has left. It sounds simple, and it is, until the first network \
      cable is pulled in the middle of a word.

      The rest is bookkeeping: what was said, what it cost, and who is still waiting. None of it is \
      hard alone; all of it at once, for ten thousand streams, is what makes the work interesting.
      """;

  static final String CODE =
      """
      Here is a small, complete example:

      ```java
      import java.util.stream.IntStream;

      public class Primes {
        public static void main(String[] args) {
          IntStream.rangeClosed(2, 50)
              .filter(n -> IntStream.rangeClosed(2, (int) Math.sqrt(n)).noneMatch(d -> n % d == 0))
              .forEach(System.out::println);
        }
      }
      ```

      It tests each number against every divisor up to its root. Run it with `java Primes.java`.
      """;

  static final String TABLE =
      """
      | Transport | Direction | Reconnects by itself | Good for |
      |---|---|---|---|
      | Server-sent events | server to client | yes | text that grows |
      | WebSocket | both | no | games, editors |
      | Long polling | server to client | yes | old proxies |

      For a chat answer the **first row** is enough.
      """;

  static final String SCRIPTS =
      """
      Grüße aus Köln! 👋 Καλημέρα κόσμε, Привет, мир, 你好，世界, こんにちは世界, مرحبا بالعالم, שלום עולם, \
      नमस्ते दुनिया, 안녕하세요. Families count as one: 👨‍👩‍👧‍👦, flags as two: 🇩🇪 🇯🇵, and so do \
      skin tones: 👍🏽. Astral letters: 𝒽𝑒𝓁𝓁𝑜.
      """;

  static final String MARKDOWN =
      """
      # What an answer can look like

      Text with **bold**, *italic*, ~~struck~~ and `inline code`, and a [link](https://example.org).

      ## Lists

      1. First this
      2. Then that
         - with a detail
         - and another one
      3. Done

      > A quotation, over
      > two lines.

      ### Code

      ```python
      def gcd(a: int, b: int) -> int:
          while b:
              a, b = b, a % b
          return a
      ```

      ### A table

      | n | n² | n³ |
      |--:|--:|--:|
      | 2 | 4 | 8 |
      | 3 | 9 | 27 |

      ---

      That is all.
      """;

  private static final List<String> EXPLANATIONS =
      List.of(
          """
          Good question. In short: **%1$s** is mostly about doing few things well.

          ## The idea

          Think of %1$s as a path with three stations:

          1. **Understand** what comes in, and in what order.
          2. **Decide** early what you will not do.
          3. **Check** the result against something you know.

          ## In practice

          - Start small; a working draft of %1$s teaches more than a plan.
          - Write down what surprised you.
          - Keep the parts that you would explain to a colleague without notes.

          If you tell me more about %2$s, I can be more specific.
          """,
          """
          There are two ways to look at **%1$s**.

          From the outside it is a promise: whoever relies on it should not need to know how it works. \
          From the inside it is a set of trade-offs, and %2$s is usually the one that people notice first.

          A useful rule of thumb:

          > Make it correct, make it clear, and only then make it fast.

          What I would do next:

          - write one example by hand,
          - measure it, and
          - change a single thing at a time.

          Shall I work through an example of %1$s with you?
          """,
          """
          ### %1$s, step by step

          First the picture: imagine water in a channel. It moves as fast as the narrowest place lets it, \
          and everything before that place fills up. With %1$s it is the same, and the narrow place is \
          often %2$s.

          | Step | What to do | How to know that it worked |
          |---|---|---|
          | 1 | Find the narrow place | One number rises while others wait |
          | 2 | Widen it, or send less | The number falls |
          | 3 | Look again | Another place is now the narrowest |

          You are done when the next improvement would cost more than it saves.
          """,
          """
          Let me answer in three parts.

          **What it is.** %1$s describes how something gets from one state to another without losing \
          what matters on the way.

          **Why it is hard.** Most failures are quiet: nothing breaks, something is merely *missing*. With \
          %2$s you often notice it days later.

          **What helps.**

          - A clear name for every state
          - One way out, whatever happens
          - A test that pulls the plug in the middle

          Would you like a checklist for your own case?
          """);

  private static final Set<String> COMMON =
      Set.of(
          "about",
          "after",
          "again",
          "because",
          "before",
          "between",
          "could",
          "does",
          "doing",
          "every",
          "explain",
          "from",
          "have",
          "hello",
          "into",
          "like",
          "make",
          "more",
          "need",
          "please",
          "should",
          "some",
          "tell",
          "than",
          "that",
          "their",
          "them",
          "then",
          "there",
          "these",
          "they",
          "thing",
          "this",
          "those",
          "want",
          "what",
          "when",
          "where",
          "which",
          "while",
          "will",
          "with",
          "would",
          "write",
          "your",
          "and",
          "the",
          "for",
          "are",
          "how",
          "why",
          "who",
          "you",
          "can",
          "is",
          "it",
          "to",
          "in",
          "of",
          "on",
          "me",
          "my",
          "we",
          "do",
          "give",
          "show",
          "example",
          "difference",
          "compare");

  private ChatTexts() {}

  /** An answer to this question; the same for the same seed and question. */
  static String about(String question, long seed) {
    String lower = question.toLowerCase(Locale.ROOT);
    if (lower.isBlank() || lower.matches("(hi|hello|hey|hallo|good (morning|evening))\\b.{0,20}")) {
      return "Hello! 👋 How can I help you today? Ask me anything, or type `/help` to see what can"
          + " go wrong on the way to you.";
    }
    if (lower.matches("(?s).*\\b(code|java|python|function|program|script)\\b.*")) {
      return CODE;
    }
    if (lower.matches("(?s).*\\b(compare|difference|versus|vs|table)\\b.*")) {
      return TABLE;
    }
    String[] topics = topics(question);
    SplittableRandom random = new SplittableRandom(seed ^ question.hashCode());
    return EXPLANATIONS.get(random.nextInt(EXPLANATIONS.size())).formatted(topics[0], topics[1]);
  }

  /** Prose of about this many words. */
  static String ofWords(int words) {
    StringBuilder text = new StringBuilder("# A long answer\n\n");
    int section = 1;
    int count = 4;
    while (count < words) {
      text.append("## Part ").append(section++).append("\n\n").append(PROSE).append('\n');
      count += 125;
    }
    return text.append("That was all of it.\n").toString();
  }

  /** The two words of the question that say most; stand-ins when it has none. */
  private static String[] topics(String question) {
    String first = "";
    String second = "";
    for (String word : question.split("[^\\p{L}\\p{N}'-]+", -1)) {
      if (word.length() < 3 || COMMON.contains(word.toLowerCase(Locale.ROOT))) {
        continue;
      }
      if (word.length() > first.length()) {
        second = first;
        first = word;
      } else if (word.length() > second.length() && !word.equalsIgnoreCase(first)) {
        second = word;
      }
    }
    return new String[] {
      first.isEmpty() ? "the matter" : first, second.isEmpty() ? "the details" : second
    };
  }
}
