#include "services/runtime/threads/turn_queue.h"

#include <optional>

#include "boost/asio/post.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"

namespace entrepot::runtime {

namespace asio = boost::asio;

// Lives in the frame of a coroutine that waits. All members are guarded by the queue's mutex, except the timer, which
// belongs to the coroutine's thread.
class TurnQueue::Waiter {
 public:
  Waiter(TurnQueue* queue, const asio::any_io_executor& executor, std::string holder)
      : queue_(*queue),
        holder_(std::move(holder)),
        timer_(std::make_shared<asio::steady_timer>(executor, queue->options_.patience)) {}

  // The frame may be destroyed before the turn comes, or between the turn and the coroutine's next step.
  ~Waiter() {
    absl::MutexLock lock(&queue_.mutex_);
    Leave();
    if (called_) queue_.EndLocked(holder_);
  }

  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // Takes a place at the end of the queue, or says why there is none.
  std::optional<Refusal> Enter() {
    if (queue_.waiting_.size() >= queue_.options_.waiting_max) return Refusal::kFull;
    size_t& of_holder = queue_.waiting_of_[holder_];
    if (of_holder >= queue_.options_.waiting_of_holder_max) {
      if (of_holder == 0) queue_.waiting_of_.erase(holder_);
      return Refusal::kHolderFull;
    }
    ++of_holder;
    place_ = queue_.waiting_.insert(queue_.waiting_.end(), this);
    return std::nullopt;
  }

  // Gives up the place, if it has one.
  void Leave() {
    if (!place_.has_value()) return;
    queue_.waiting_.erase(*std::exchange(place_, std::nullopt));
    const auto of_holder = queue_.waiting_of_.find(holder_);
    if (--of_holder->second == 0) queue_.waiting_of_.erase(of_holder);
  }

  // Gives the waiter its turn.
  void Call() {
    Leave();
    called_ = true;
    asio::post(timer_->get_executor(), [timer = timer_] { timer->cancel(); });
  }

  bool TakeTurn() { return std::exchange(called_, false); }
  const std::string& holder() const { return holder_; }
  asio::steady_timer& timer() { return *timer_; }

 private:
  TurnQueue& queue_;
  const std::string holder_;
  // Shared with Call(), whose cancellation may run after the coroutine's end.
  const std::shared_ptr<asio::steady_timer> timer_;
  std::optional<std::list<Waiter*>::iterator> place_;
  bool called_ = false;
};

asio::awaitable<std::variant<TurnQueue::Turn, TurnQueue::Refusal>> TurnQueue::Take(std::string holder) {
  {
    absl::MutexLock lock(&mutex_);
    if (BeginLocked(holder)) co_return Turn(this, std::move(holder));
  }
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Waiter waiter(this, executor, holder);
  {
    absl::MutexLock lock(&mutex_);
    if (BeginLocked(holder)) co_return Turn(this, std::move(holder));
    if (const std::optional<Refusal> refusal = waiter.Enter()) co_return *refusal;
  }
  boost::system::error_code ignored;
  co_await waiter.timer().async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  absl::MutexLock lock(&mutex_);
  if (waiter.TakeTurn()) co_return Turn(this, std::move(holder));
  waiter.Leave();
  co_return Refusal::kTooLong;
}

size_t TurnQueue::waiting() const {
  absl::MutexLock lock(&mutex_);
  return waiting_.size();
}

bool TurnQueue::BeginLocked(const std::string& holder) {
  if (running_ >= options_.running_max) return false;
  ++running_;
  ++running_of_[holder];
  return true;
}

void TurnQueue::End(const std::string& holder) {
  absl::MutexLock lock(&mutex_);
  EndLocked(holder);
}

void TurnQueue::EndLocked(const std::string& holder) {
  --running_;
  const auto ended = running_of_.find(holder);
  if (--ended->second == 0) running_of_.erase(ended);
  Waiter* next = nullptr;
  size_t fewest = 0;
  for (Waiter* const waiter : waiting_) {
    const auto found = running_of_.find(waiter->holder());
    const size_t running = found == running_of_.end() ? 0 : found->second;
    if (next != nullptr && running >= fewest) continue;
    next = waiter;
    fewest = running;
    if (fewest == 0) break;
  }
  if (next != nullptr && BeginLocked(next->holder())) next->Call();
}

}  // namespace entrepot::runtime
