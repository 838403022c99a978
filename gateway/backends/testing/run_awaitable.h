#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_RUN_AWAITABLE_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_RUN_AWAITABLE_H_

#include <exception>
#include <optional>
#include <utility>

#include "boost/asio/awaitable.hpp"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/io_context.hpp"

namespace entrepot::gateway {

// Awaits `awaitable` and keeps its result.
template <typename T>
boost::asio::awaitable<void> KeepResult(boost::asio::awaitable<T> awaitable, std::optional<T>* result) {
  result->emplace(co_await std::move(awaitable));
}

// For tests: runs a coroutine to its end on `context`, which must have no other work, and returns its result.
template <typename T>
T RunAwaitable(boost::asio::io_context& context, boost::asio::awaitable<T> awaitable) {
  std::optional<T> result;
  context.restart();
  boost::asio::co_spawn(context, KeepResult(std::move(awaitable), &result), [](std::exception_ptr exception) {
    if (exception) std::rethrow_exception(exception);
  });
  context.run();
  return *std::move(result);
}

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_TESTING_RUN_AWAITABLE_H_
