#include "gateway/backends/grpc_retry.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"

namespace entrepot::gateway {
namespace {

constexpr absl::Duration kRestart = absl::Seconds(5);
constexpr absl::Duration kBackoffMin = absl::Milliseconds(20);
constexpr absl::Duration kBackoffMax = absl::Milliseconds(400);

// A status that the service made says why; gRPC's own for a lost connection says nothing.
bool IsLost(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty();
}

}  // namespace

GrpcRetry::GrpcRetry(absl::Duration deadline)
    : deadline_(absl::Now() + deadline),
      give_up_(absl::Now() + std::min(deadline, kRestart)),
      backoff_(kBackoffMin, kBackoffMax, random_) {}

boost::asio::awaitable<bool> GrpcRetry::Again(const grpc::Status& status) {
  if (!IsLost(status)) co_return false;
  const absl::Duration wait = backoff_.Next();
  if (absl::Now() + wait >= give_up_) co_return false;
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, absl::ToChronoNanoseconds(wait));
  co_await timer.async_wait(boost::asio::use_awaitable);
  repeated_ = true;
  co_return true;
}

}  // namespace entrepot::gateway
