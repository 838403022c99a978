// Shows ThreadSanitizer what absl::Mutex, absl::CondVar and absl::Notification order. Debian's Abseil is not
// instrumented, so that to the sanitizer everything under such a lock would be a race. These definitions take the place
// of the library's, for our code and for gRPC's, and call it (RTLD_NEXT) between the sanitizer's annotations.
//
// Waiting for a condition is done by polling: the library evaluates a condition in whichever thread unlocks, after the
// annotation has said that the lock is gone.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstdio>
#include <cstdlib>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace {

constexpr absl::Duration kPollInterval = absl::Microseconds(100);

// `name` is mangled without its "_ZN4absl7debian3" or, of a const function, "_ZNK4absl7debian3".
template <typename Function>
Function LibraryFunction(const char* name) {
  void* const symbol = dlsym(RTLD_NEXT, name);
  if (symbol == nullptr) {
    std::fprintf(stderr, "the Abseil library has no %s\n", name);
    std::abort();
  }
  return reinterpret_cast<Function>(symbol);
}

}  // namespace

#define LIBRARY_MUTEX(type, name) static const auto library = LibraryFunction<type>("_ZN4absl7debian3" name)

namespace absl {
ABSL_NAMESPACE_BEGIN

Mutex::~Mutex() {
  LIBRARY_MUTEX(void (*)(Mutex*), "5MutexD1Ev");
  __tsan_mutex_destroy(this, __tsan_mutex_not_static);
  library(this);
}

void Mutex::Lock() {
  LIBRARY_MUTEX(void (*)(Mutex*), "5Mutex4LockEv");
  __tsan_mutex_pre_lock(this, 0);
  library(this);
  __tsan_mutex_post_lock(this, 0, 0);
}

void Mutex::Unlock() {
  LIBRARY_MUTEX(void (*)(Mutex*), "5Mutex6UnlockEv");
  __tsan_mutex_pre_unlock(this, 0);
  library(this);
  __tsan_mutex_post_unlock(this, 0);
}

bool Mutex::TryLock() {
  LIBRARY_MUTEX(bool (*)(Mutex*), "5Mutex7TryLockEv");
  __tsan_mutex_pre_lock(this, __tsan_mutex_try_lock);
  const bool locked = library(this);
  __tsan_mutex_post_lock(this, __tsan_mutex_try_lock | (locked ? 0 : __tsan_mutex_try_lock_failed), 0);
  return locked;
}

void Mutex::ReaderLock() {
  LIBRARY_MUTEX(void (*)(Mutex*), "5Mutex10ReaderLockEv");
  __tsan_mutex_pre_lock(this, __tsan_mutex_read_lock);
  library(this);
  __tsan_mutex_post_lock(this, __tsan_mutex_read_lock, 0);
}

void Mutex::ReaderUnlock() {
  LIBRARY_MUTEX(void (*)(Mutex*), "5Mutex12ReaderUnlockEv");
  __tsan_mutex_pre_unlock(this, __tsan_mutex_read_lock);
  library(this);
  __tsan_mutex_post_unlock(this, __tsan_mutex_read_lock);
}

// Of a mutex held for writing.
bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  while (!condition.Eval()) {
    if (Now() >= deadline) return false;
    Unlock();
    SleepFor(kPollInterval);
    Lock();
  }
  return true;
}
bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  return AwaitWithDeadline(condition, Now() + timeout);
}
void Mutex::Await(const Condition& condition) { AwaitWithDeadline(condition, InfiniteFuture()); }

bool Mutex::LockWhenWithDeadline(const Condition& condition, Time deadline) {
  Lock();
  return AwaitWithDeadline(condition, deadline);
}
bool Mutex::LockWhenWithTimeout(const Condition& condition, Duration timeout) {
  return LockWhenWithDeadline(condition, Now() + timeout);
}
void Mutex::LockWhen(const Condition& condition) { LockWhenWithDeadline(condition, InfiniteFuture()); }

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  LIBRARY_MUTEX(bool (*)(CondVar*, Mutex*, Time), "7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  __tsan_mutex_pre_unlock(mutex, 0);
  __tsan_mutex_post_unlock(mutex, 0);
  const bool timed_out = library(this, mutex, deadline);
  __tsan_mutex_pre_lock(mutex, 0);
  __tsan_mutex_post_lock(mutex, 0, 0);
  return timed_out;
}
bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) { return WaitWithDeadline(mutex, Now() + timeout); }
void CondVar::Wait(Mutex* mutex) { WaitWithDeadline(mutex, InfiniteFuture()); }

void Notification::Notify() {
  LIBRARY_MUTEX(void (*)(Notification*), "12Notification6NotifyEv");
  __tsan_release(this);
  library(this);
}

bool Notification::WaitForNotificationWithDeadline(Time deadline) const {
  static const auto library = LibraryFunction<bool (*)(const Notification*, Time)>(
      "_ZNK4absl7debian312Notification31WaitForNotificationWithDeadlineENS0_4TimeE");
  const bool notified = library(this, deadline);
  if (notified) __tsan_acquire(const_cast<Notification*>(this));
  return notified;
}
bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  return WaitForNotificationWithDeadline(Now() + timeout);
}
void Notification::WaitForNotification() const { WaitForNotificationWithDeadline(InfiniteFuture()); }

ABSL_NAMESPACE_END
}  // namespace absl
