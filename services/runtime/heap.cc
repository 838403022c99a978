#include "services/runtime/heap.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "absl/time/time.h"
#include "services/runtime/log/json_log.h"

namespace entrepot::runtime {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(10);

// Resident memory without that of files; 0 if it cannot be read.
size_t ResidentBytes() {
  FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  size_t size = 0;
  size_t resident = 0;
  size_t shared = 0;
  const int read = std::fscanf(file, "%zu %zu %zu", &size, &resident, &shared);
  std::fclose(file);
  if (read != 3 || resident < shared) return 0;
  return (resident - shared) * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

// What is resident but not in use. Of the memory beside the heap only stacks are resident.
size_t IdleBytes() {
  const struct mallinfo2 heap = ::mallinfo2();
  const size_t used = heap.uordblks + heap.hblkhd;
  const size_t resident = ResidentBytes();
  return resident > used ? resident - used : 0;
}

}  // namespace

// By default glibc has up to eight heaps per core, each of which keeps the most memory that it ever used. Once a large
// block has been freed, glibc takes further large blocks from the heap and keeps twice that size at its end. The gRPC
// messages of a stream (256 KiB) stay cheap: they are below the mmap threshold.
void BoundHeap() {
  const int arenas = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 2u, 8u));
  ::mallopt(M_ARENA_MAX, arenas);
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

bool HeapTrim::TrimIfWorthIt() {
  const size_t idle = IdleBytes();
  left_bytes_ = std::min(left_bytes_, idle);
  if (idle < left_bytes_ + kWorthBytes) return false;
  ::malloc_trim(0);
  left_bytes_ = IdleBytes();
  Log(LogLevel::kDebug, "trimmed the heap", {{"idle_bytes", idle}, {"left_bytes", left_bytes_}});
  return true;
}

HeapTrimmer::HeapTrimmer() : task_(kInterval, [this] { trim_.TrimIfWorthIt(); }) {}

}  // namespace entrepot::runtime
