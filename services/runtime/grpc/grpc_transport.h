#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_TRANSPORT_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_TRANSPORT_H_

// What both ends of a gRPC connection between Entrepot's processes have to agree on.
namespace entrepot::runtime {

// How much of a stream may be under way that its reader has not asked for. It bounds what a slow reader costs: each of
// the two processes holds about that much a stream. gRPC's own estimate (BDP probing, which is off) sizes it by what
// the link could carry, not by what a process may hold.
inline constexpr int kGrpcStreamWindowBytes = 512 * 1024;

// The largest HTTP/2 frame. The least (16 KiB) costs a megabyte message 64 headers.
inline constexpr int kGrpcFrameBytes = 256 * 1024;

// A peer that vanished (power, partition, SIGSTOP) is noticed after at most their sum, also by streams without a
// deadline.
inline constexpr int kGrpcKeepaliveMilliseconds = 10'000;
inline constexpr int kGrpcKeepaliveTimeoutMilliseconds = 10'000;
// A server that is pinged more often than this ends the connection (ENHANCE_YOUR_CALM): stay well below the above.
inline constexpr int kGrpcPingIntervalMinMilliseconds = 5'000;

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_TRANSPORT_H_
