#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_TRANSPORT_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_TRANSPORT_H_

#include "absl/strings/string_view.h"

// What both ends of a gRPC connection between Entrepot's processes share: limits that have to agree, and gRPC's log.
namespace entrepot::runtime {

// The largest message. Larger content is sent as a stream.
inline constexpr int kGrpcMessageBytesMax = 16 * 1024 * 1024;

// How many bytes of a stream may be on their way before its reader asks for them. The reader's process keeps as much
// for each stream that is not read, and often four times as much, because gRPC reads a connection in blocks of 64 KiB,
// which its streams share. Once a message is read, gRPC asks for the rest of it whatever the window, so a larger window
// is hardly faster. gRPC's own estimate (BDP probing) is switched off, because it follows the capacity of the link, not
// the memory of a process.
inline constexpr int kGrpcStreamWindowBytes = 32 * 1024;

// The largest HTTP/2 frame. With the smallest (16 KiB) a message of one megabyte would need 64 frame headers.
inline constexpr int kGrpcFrameBytes = 256 * 1024;

// A peer that vanished (power loss, network partition, SIGSTOP) is detected within the sum of these two, also by
// streams without a deadline.
inline constexpr int kGrpcKeepaliveMilliseconds = 10'000;
inline constexpr int kGrpcKeepaliveTimeoutMilliseconds = 10'000;
// A server closes a connection that sends pings more often than this (ENHANCE_YOUR_CALM). This constant must stay well
// below kGrpcKeepaliveMilliseconds.
inline constexpr int kGrpcPingIntervalMinMilliseconds = 5'000;

// A connection whose peer does not finish TLS's handshake and the beginning of HTTP/2 in this time is closed. By
// default gRPC waits two minutes, and so long such a connection would take the place of another.
inline constexpr int kGrpcHandshakeMilliseconds = 10'000;
// A server closes a connection without a call for so long. The registry's own processes check each other every second.
inline constexpr int kGrpcIdleMilliseconds = 300'000;
// The most calls at once on one connection; a channel lets further ones wait. A gateway makes about one call for each
// request under way.
inline constexpr int kGrpcStreamsMax = 16384;

// The name by which health checks (grpc.health.v1) ask whether a server can write.
inline constexpr absl::string_view kPushHealthService = "push";

// Sends gRPC's own log lines to the process's log (services/runtime/log/json_log.h), one JSON line each. GRPC_VERBOSITY
// filters them first. May be called from any thread and repeatedly.
void SendGrpcLogToJsonLog();

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_TRANSPORT_H_
