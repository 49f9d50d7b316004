/** A shop on Spring Boot with Claude behind its login: what README tells to write, as a test. */
package shop;
