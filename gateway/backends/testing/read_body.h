#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_READ_BODY_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_READ_BODY_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/body/body.h"

namespace entrepot::gateway {

// For tests: the next bytes of a body that arrives piece by piece (a StreamBody or a SequenceBody); "" at its end.
boost::asio::awaitable<absl::StatusOr<std::string>> ReadNext(Body& body);

// What a body gives, and the status that it ends with.
struct ReadResult {
  std::string bytes;
  absl::Status status;
};
boost::asio::awaitable<ReadResult> ReadAll(Body& body);

// The length that the body declares.
uint64_t LengthOf(const Body& body);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_TESTING_READ_BODY_H_
