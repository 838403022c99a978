#include "services/blob/io/faulty_system_calls.h"

#include <algorithm>
#include <cerrno>

namespace entrepot::blob {
namespace {

bool CanBeInterrupted(FaultySystemCalls::Call call) {
  using Call = FaultySystemCalls::Call;
  return call == Call::kWrite || call == Call::kRead || call == Call::kDataSync || call == Call::kSync;
}

}  // namespace

void FaultySystemCalls::Fail(Call call, int error, int skip, int times) {
  absl::MutexLock lock(&mutex_);
  faults_[call] = Fault{.error = error, .skip = skip, .times = times};
}

void FaultySystemCalls::Heal() {
  absl::MutexLock lock(&mutex_);
  faults_.clear();
}

void FaultySystemCalls::LimitWrites(size_t bytes) {
  absl::MutexLock lock(&mutex_);
  write_max_ = bytes;
}

void FaultySystemCalls::FillDisk(bool full) {
  absl::MutexLock lock(&mutex_);
  full_ = full;
}

void FaultySystemCalls::Interrupt() {
  absl::MutexLock lock(&mutex_);
  interrupt_ = true;
}

std::vector<FaultySystemCalls::Call> FaultySystemCalls::Changes() const {
  absl::MutexLock lock(&mutex_);
  return changes_;
}

bool FaultySystemCalls::Fails(Call call) {
  absl::MutexLock lock(&mutex_);
  if (call != Call::kRead && call != Call::kOpen) changes_.push_back(call);
  if (interrupt_ && CanBeInterrupted(call)) {
    interrupted_ = !interrupted_;
    if (interrupted_) {
      errno = EINTR;
      return true;
    }
  }
  const auto found = faults_.find(call);
  if (found == faults_.end()) return false;
  Fault& fault = found->second;
  if (fault.skip > 0) {
    --fault.skip;
    return false;
  }
  if (fault.times == 0) return false;
  --fault.times;
  errno = fault.error;
  return true;
}

int FaultySystemCalls::OpenAt(int directory, const char* path, int flags, mode_t mode) {
  return Fails(Call::kOpen) ? -1 : SystemCalls::OpenAt(directory, path, flags, mode);
}

ssize_t FaultySystemCalls::PWrite(int fd, const void* data, size_t size, off_t offset) {
  if (Fails(Call::kWrite)) return -1;
  size_t taken = size;
  {
    absl::MutexLock lock(&mutex_);
    taken = std::min(size, write_max_);
  }
  return SystemCalls::PWrite(fd, data, taken, offset);
}

ssize_t FaultySystemCalls::PRead(int fd, void* data, size_t size, off_t offset) {
  return Fails(Call::kRead) ? -1 : SystemCalls::PRead(fd, data, size, offset);
}

int FaultySystemCalls::FTruncate(int fd, off_t size) {
  return Fails(Call::kTruncate) ? -1 : SystemCalls::FTruncate(fd, size);
}

int FaultySystemCalls::FStatVfs(int fd, struct statvfs* result) {
  const int returned = SystemCalls::FStatVfs(fd, result);
  absl::MutexLock lock(&mutex_);
  if (full_) result->f_bavail = 1;
  return returned;
}

int FaultySystemCalls::FDataSync(int fd) { return Fails(Call::kDataSync) ? -1 : SystemCalls::FDataSync(fd); }

int FaultySystemCalls::FSync(int fd) { return Fails(Call::kSync) ? -1 : SystemCalls::FSync(fd); }

int FaultySystemCalls::SyncFileRange(int fd, off_t offset, off_t size) {
  return Fails(Call::kWriteBack) ? -1 : SystemCalls::SyncFileRange(fd, offset, size);
}

int FaultySystemCalls::RenameNoReplace(int old_directory, const char* old_path, int new_directory,
                                       const char* new_path) {
  return Fails(Call::kRename) ? -1 : SystemCalls::RenameNoReplace(old_directory, old_path, new_directory, new_path);
}

int FaultySystemCalls::RenameAt(int old_directory, const char* old_path, int new_directory, const char* new_path) {
  return Fails(Call::kReplace) ? -1 : SystemCalls::RenameAt(old_directory, old_path, new_directory, new_path);
}

int FaultySystemCalls::LinkAt(int old_directory, const char* old_path, int new_directory, const char* new_path) {
  return Fails(Call::kLink) ? -1 : SystemCalls::LinkAt(old_directory, old_path, new_directory, new_path);
}

int FaultySystemCalls::UnlinkAt(int directory, const char* path) {
  return Fails(Call::kUnlink) ? -1 : SystemCalls::UnlinkAt(directory, path);
}

}  // namespace entrepot::blob
