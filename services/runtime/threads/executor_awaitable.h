#ifndef ENTREPOT_SERVICES_RUNTIME_THREADS_EXECUTOR_AWAITABLE_H_
#define ENTREPOT_SERVICES_RUNTIME_THREADS_EXECUTOR_AWAITABLE_H_

#include <type_traits>
#include <utility>

#include "boost/asio/associated_executor.hpp"
#include "boost/asio/async_result.hpp"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "services/runtime/threads/executor.h"

namespace entrepot::runtime {

// Runs fn() on one of `executor`'s threads and resumes the calling coroutine with the result, on the coroutine's own
// executor: one post each way.
//
//   absl::Status status = co_await RunOn(executor, [&] { return writer.Sync(); });
//
// The result is any movable type, or void. fn must not throw. The coroutine's execution context is kept busy until
// then. It must not be destroyed before `executor`: destroy the Executor first, which waits for its jobs. If the
// context is stopped, the coroutine is not resumed; it is destroyed with the context. Nothing cancels fn, so everything
// that it refers to must live until it returns, as a coroutine's own frame does.
template <typename F>
boost::asio::awaitable<std::invoke_result_t<F&>> RunOn(Executor& executor, F fn) {
  using Result = std::invoke_result_t<F&>;
  using Token = const boost::asio::use_awaitable_t<>;
  Token token;
  if constexpr (std::is_void_v<Result>) {
    co_await boost::asio::async_initiate<Token, void()>(
        [&executor, &fn](auto handler) {
          auto work = boost::asio::make_work_guard(handler);
          executor.Post([&fn, handler = std::move(handler), work = std::move(work)]() mutable {
            fn();
            boost::asio::post(work.get_executor(), std::move(handler));
          });
        },
        token);
  } else {
    co_return co_await boost::asio::async_initiate<Token, void(Result)>(
        [&executor, &fn](auto handler) {
          auto work = boost::asio::make_work_guard(handler);
          executor.Post([&fn, handler = std::move(handler), work = std::move(work)]() mutable {
            boost::asio::post(work.get_executor(), [handler = std::move(handler), result = fn()]() mutable {
              std::move(handler)(std::move(result));
            });
          });
        },
        token);
  }
}

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_THREADS_EXECUTOR_AWAITABLE_H_
