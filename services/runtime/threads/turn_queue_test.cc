#include "services/runtime/threads/turn_queue.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/post.hpp"
#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

namespace asio = boost::asio;
using Taken = std::variant<TurnQueue::Turn, TurnQueue::Refusal>;

constexpr TurnQueue::Options kOptions{
    .running_max = 2, .waiting_max = 3, .waiting_of_holder_max = 2, .patience = std::chrono::hours(1)};

// One coroutine's call of Take() on a context.
class Caller {
 public:
  Caller(TurnQueue* queue, asio::io_context* io, std::string holder) {
    asio::co_spawn(*io, Run(queue, std::move(holder)), asio::detached);
  }
  bool has_turn() const { return taken_.has_value() && std::holds_alternative<TurnQueue::Turn>(*taken_); }
  std::optional<TurnQueue::Refusal> refusal() const {
    if (!taken_.has_value() || has_turn()) return std::nullopt;
    return std::get<TurnQueue::Refusal>(*taken_);
  }
  void End() { taken_.reset(); }

 private:
  asio::awaitable<void> Run(TurnQueue* queue, std::string holder) { taken_ = co_await queue->Take(std::move(holder)); }

  std::optional<Taken> taken_;
};

class TurnQueueTest : public testing::Test {
 protected:
  std::unique_ptr<Caller> Call(const std::string& holder) {
    auto caller = std::make_unique<Caller>(&queue_, &io_, holder);
    Poll();
    return caller;
  }
  void Poll() {
    io_.restart();
    io_.poll();
  }

  TurnQueue queue_{kOptions};
  asio::io_context io_;
};

TEST_F(TurnQueueTest, GivesTurnsInOrder) {
  const auto a = Call("a");
  const auto b = Call("a");
  const auto c = Call("a");
  const auto d = Call("a");
  EXPECT_TRUE(a->has_turn());
  EXPECT_TRUE(b->has_turn());
  EXPECT_FALSE(c->has_turn());
  EXPECT_EQ(queue_.waiting(), 2u);
  b->End();
  Poll();
  EXPECT_TRUE(c->has_turn());
  EXPECT_FALSE(d->has_turn());
  a->End();
  c->End();
  Poll();
  EXPECT_TRUE(d->has_turn());
  EXPECT_EQ(queue_.waiting(), 0u);
}

TEST_F(TurnQueueTest, TheHolderWithTheFewestTurnsIsNext) {
  const auto a = Call("a");
  const auto b = Call("a");
  const auto c = Call("a");
  const auto d = Call("b");
  b->End();
  Poll();
  EXPECT_FALSE(c->has_turn()) << "a has one already";
  EXPECT_TRUE(d->has_turn());
  d->End();
  Poll();
  EXPECT_TRUE(c->has_turn());
}

TEST_F(TurnQueueTest, BoundsTheQueueInSumAndForEachHolder) {
  const auto a = Call("a");
  const auto b = Call("a");
  const auto c = Call("a");
  const auto d = Call("a");
  EXPECT_EQ(Call("a")->refusal(), TurnQueue::Refusal::kHolderFull);
  const auto e = Call("b");
  EXPECT_EQ(Call("c")->refusal(), TurnQueue::Refusal::kFull);
  EXPECT_EQ(e->refusal(), std::nullopt);
  a->End();
  Poll();
  EXPECT_TRUE(e->has_turn());
  const auto f = Call("c");
  EXPECT_EQ(f->refusal(), std::nullopt) << "a place is free again";
}

TEST_F(TurnQueueTest, EndsAWaitThatIsTooLong) {
  TurnQueue impatient(
      {.running_max = 1, .waiting_max = 1, .waiting_of_holder_max = 1, .patience = std::chrono::nanoseconds(1)});
  const auto first = std::make_unique<Caller>(&impatient, &io_, "a");
  const auto second = std::make_unique<Caller>(&impatient, &io_, "b");
  io_.run();
  EXPECT_TRUE(first->has_turn());
  EXPECT_EQ(second->refusal(), TurnQueue::Refusal::kTooLong);
  EXPECT_EQ(impatient.waiting(), 0u);
  first->End();
  io_.restart();
  const auto third = std::make_unique<Caller>(&impatient, &io_, "c");
  io_.run();
  EXPECT_TRUE(third->has_turn());
  third->End();
}

TEST_F(TurnQueueTest, PassesOnTheTurnsOfCoroutinesThatAreDestroyed) {
  auto other_io = std::make_unique<asio::io_context>();
  const auto a = Call("a");
  const auto b = Call("a");
  const auto called = std::make_unique<Caller>(&queue_, other_io.get(), "b");
  const auto waits = std::make_unique<Caller>(&queue_, other_io.get(), "c");
  other_io->poll();
  const auto last = Call("d");
  EXPECT_EQ(queue_.waiting(), 3u);
  a->End();  // `called` never resumes.
  other_io.reset();
  Poll();
  EXPECT_TRUE(last->has_turn());
  EXPECT_EQ(queue_.waiting(), 0u);
  last->End();
  b->End();
}

TEST_F(TurnQueueTest, NeverLetsMoreRunAtOnce) {
  TurnQueue queue(
      {.running_max = 3, .waiting_max = 1000, .waiting_of_holder_max = 1000, .patience = kOptions.patience});
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  const auto work = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 50; ++i) {
      const Taken taken = co_await queue.Take("a");
      if (!std::holds_alternative<TurnQueue::Turn>(taken)) continue;
      const int now = ++running;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      co_await asio::post(asio::use_awaitable);
      --running;
      ++done;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      asio::io_context io;
      for (int j = 0; j < 20; ++j) asio::co_spawn(io, work, asio::detached);
      io.run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 3000);
  EXPECT_LE(most, 3);
  EXPECT_EQ(queue.waiting(), 0u);
}

}  // namespace
}  // namespace entrepot::runtime
