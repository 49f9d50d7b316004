/**
 * One contract for every server, as a black box over HTTP: the gateway runs in the server's
 * process, the simulator in this one. Start at {@link dev.headrace.matrix.ServerContract}; {@link
 * dev.headrace.matrix.Cell} says which servers, {@link dev.headrace.matrix.MatrixTable} writes the
 * README's table.
 */
@NullMarked
package dev.headrace.matrix;

import org.jspecify.annotations.NullMarked;
