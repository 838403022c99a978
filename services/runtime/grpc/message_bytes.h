#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_MESSAGE_BYTES_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_MESSAGE_BYTES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace entrepot::runtime {

// Not so little that a client keeps the service busy with tiny messages.
inline constexpr size_t kMessageBytesMin = 4096;

// How many bytes of content each message of a stream has, if the client takes up to `wanted`, and the service sends up
// to `most`. 0: the client takes any size.
inline size_t MessageBytes(uint32_t wanted, size_t most) {
  return wanted == 0 ? most : std::clamp<size_t>(wanted, kMessageBytesMin, most);
}

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_MESSAGE_BYTES_H_
