#include "services/runtime/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "services/runtime/version.h"

namespace entrepot::runtime {
namespace {

using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

std::optional<std::string> ReadSmallFile(const char* path) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path, "re"), std::fclose);
  if (file == nullptr) return std::nullopt;
  std::array<char, 8192> buffer;
  const size_t size = std::fread(buffer.data(), 1, buffer.size(), file.get());
  return std::string(buffer.data(), size);
}

MetricFamily MakeFamily(std::string name, std::string help, MetricType type, double value) {
  prometheus::ClientMetric metric;
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return {std::move(name), std::move(help), type, {std::move(metric)}};
}

// The fields of /proc/self/stat from the third on: the ones before may contain spaces.
std::vector<std::string> ReadStatFields() {
  const std::optional<std::string> stat = ReadSmallFile("/proc/self/stat");
  if (!stat.has_value()) return {};
  const size_t after_name = stat->rfind(") ");
  if (after_name == std::string::npos) return {};
  return absl::StrSplit(absl::string_view(*stat).substr(after_name + 2), ' ');
}

// The field with this number in proc(5); -1 if it is missing.
int64_t StatField(const std::vector<std::string>& fields, size_t number) {
  int64_t value;
  if (number < 3 || number - 3 >= fields.size() || !absl::SimpleAtoi(fields[number - 3], &value)) return -1;
  return value;
}

std::optional<double> BootTimeSeconds() {
  const std::optional<std::string> stat = ReadSmallFile("/proc/stat");
  if (!stat.has_value()) return std::nullopt;
  const size_t at = stat->find("\nbtime ");
  if (at == std::string::npos) return std::nullopt;
  const absl::string_view rest = absl::string_view(*stat).substr(at + 7);
  double seconds;
  if (!absl::SimpleAtod(rest.substr(0, rest.find('\n')), &seconds)) return std::nullopt;
  return seconds;
}

std::optional<double> CountOpenFds() {
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), ::closedir);
  if (directory == nullptr) return std::nullopt;
  int count = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count - 1;  // Without the descriptor of the directory.
}

void AddFromStat(std::vector<MetricFamily>* families) {
  const std::vector<std::string> fields = ReadStatFields();
  const double ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const int64_t user = StatField(fields, 14), system = StatField(fields, 15);
  if (user >= 0 && system >= 0) {
    families->push_back(MakeFamily("process_cpu_seconds_total", "User and system CPU time in seconds.",
                                   MetricType::Counter, static_cast<double>(user + system) / ticks_per_second));
  }
  if (const int64_t threads = StatField(fields, 20); threads >= 0) {
    families->push_back(MakeFamily("process_threads", "Threads.", MetricType::Gauge, static_cast<double>(threads)));
  }
  // Read once: it does not change, and /proc/stat grows with the number of CPUs.
  static const std::optional<double> boot_time = BootTimeSeconds();
  if (const int64_t start = StatField(fields, 22); start >= 0 && boot_time.has_value()) {
    families->push_back(MakeFamily("process_start_time_seconds", "Start of the process in seconds since 1970.",
                                   MetricType::Gauge, *boot_time + static_cast<double>(start) / ticks_per_second));
  }
  if (const int64_t pages = StatField(fields, 24); pages >= 0) {
    families->push_back(MakeFamily("process_resident_memory_bytes", "Resident memory in bytes.", MetricType::Gauge,
                                   static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE))));
  }
}

void AddFileDescriptors(std::vector<MetricFamily>* families) {
  if (const std::optional<double> open = CountOpenFds(); open.has_value()) {
    families->push_back(MakeFamily("process_open_fds", "Open file descriptors.", MetricType::Gauge, *open));
  }
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    families->push_back(MakeFamily("process_max_fds", "The most file descriptors that may be open.", MetricType::Gauge,
                                   static_cast<double>(limit.rlim_cur)));
  }
}

MetricFamily BuildInfo(const std::string& service_name) {
  MetricFamily family = MakeFamily("entrepot_build_info", "1; the labels say what runs.", MetricType::Gauge, 1);
  family.metric.front().label = {{"service", service_name}, {"version", std::string(kVersion)}};
  return family;
}

}  // namespace

ProcessMetrics::ProcessMetrics(std::string service_name) : service_name_(std::move(service_name)) {}

std::vector<MetricFamily> ProcessMetrics::Collect() const {
  std::vector<MetricFamily> families;
  AddFromStat(&families);
  AddFileDescriptors(&families);
  families.push_back(BuildInfo(service_name_));
  return families;
}

}  // namespace entrepot::runtime
