#include "gateway/backends/grpc/grpc_client.h"

#include <optional>

#include "absl/time/time.h"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"

namespace entrepot::gateway {

GrpcCallAttempts::GrpcCallAttempts(absl::Duration deadline) : deadline_(deadline), patience_(deadline) {}

boost::asio::awaitable<bool> GrpcCallAttempts::WaitToRetry(const grpc::Status& status) {
  const std::optional<absl::Duration> wait = patience_.Next(status);
  if (!wait.has_value()) co_return false;
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, absl::ToChronoNanoseconds(*wait));
  co_await timer.async_wait(boost::asio::use_awaitable);
  repeated_ = true;
  co_return true;
}

}  // namespace entrepot::gateway
