// Compares the engine with a plain map, through random transactions, reads and restarts.
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/kv/rocksdb/rocksdb_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using Model = std::map<std::string, std::string>;

class RocksDbRandomTest : public testing::TestWithParam<unsigned> {
 protected:
  RocksDbRandomTest() : random_(GetParam()) { Open(directory_); }

  void Open(const std::string& directory) {
    kv_.reset();
    RocksDbKvEngine::Options options;
    options.directory = directory;
    // So little that flushes and compactions happen.
    options.memory_bytes_max = size_t{1} << 20;
    absl::StatusOr<std::unique_ptr<RocksDbKvEngine>> opened = RocksDbKvEngine::Open(options);
    ASSERT_OK(opened);
    kv_ = *std::move(opened);
  }

  int Below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }

  // Few different keys, with bytes that sort at both ends.
  std::string Key() {
    static constexpr char kBytes[] = {'\0', 'a', 'b', '\x7f', '\xff'};
    std::string key(static_cast<size_t>(Below(5)), ' ');
    for (char& byte : key) byte = kBytes[Below(5)];
    return key;
  }

  std::string Value() {
    static constexpr int kSizes[] = {0, 1, 100, 4095, 4096, 20000};
    return std::string(static_cast<size_t>(kSizes[Below(6)]), static_cast<char>(Below(256)));
  }

  ScanOptions Range() {
    return {.prefix = Key().substr(0, static_cast<size_t>(Below(3))),
            .start_after = Below(2) ? Key() : "",
            .limit = static_cast<size_t>(Below(2) ? Below(10) : 1000)};
  }

  static std::vector<KeyValue> Scan(const Model& model, const ScanOptions& options) {
    std::vector<KeyValue> found;
    for (const auto& [key, value] : model) {
      if (found.size() == options.limit) break;
      if (!absl::StartsWith(key, options.prefix)) continue;
      if (!options.start_after.empty() && key <= options.start_after) continue;
      found.push_back({key, value});
    }
    return found;
  }

  static std::optional<std::string> Get(const Model& model, const std::string& key) {
    auto entry = model.find(key);
    if (entry == model.end()) return std::nullopt;
    return entry->second;
  }

  void Compare(KvReader& reader, const Model& model) {
    std::vector<std::string> keys(static_cast<size_t>(Below(6)));
    std::vector<std::optional<std::string>> values;
    for (std::string& key : keys) {
      key = Key();
      values.push_back(Get(model, key));
    }
    ASSERT_THAT(reader.MultiGet(keys), IsOkAndHolds(values));
    const std::string key = Key();
    ASSERT_THAT(reader.Get(key), IsOkAndHolds(Get(model, key)));
    const ScanOptions range = Range();
    ASSERT_THAT(reader.Scan(range), IsOkAndHolds(Scan(model, range)));
  }

  void Transact() {
    Model changed = model_;
    const bool fails = Below(5) == 0;
    const absl::Status result = fails ? absl::CancelledError("by the test") : absl::OkStatus();
    ASSERT_EQ(kv_->Transact(
                  {{Key()}, {Key()}},
                  [&](KvTransaction& transaction) {
                    for (int i = Below(20); i > 0; --i) Change(transaction, changed);
                    Compare(transaction, changed);
                    return result;
                  },
                  Below(10) == 0 ? Durability::kSynced : Durability::kBuffered),
              result);
    if (!fails) model_ = std::move(changed);
  }

  void Change(KvTransaction& transaction, Model& model) {
    const std::string key = Key();
    if (Below(3) == 0) {
      transaction.Delete(key);
      model.erase(key);
    } else {
      const std::string value = Value();
      transaction.Put(key, value);
      model[key] = value;
    }
  }

  // As after a kill of the process: the kernel has all writes, and nothing was shut down.
  void OpenACopy() {
    const std::string copy = absl::StrCat(temporary_.path(), "/", ++copies_);
    ASSERT_TRUE(Eventually([&] { return TryCopy(copy); }));
    Open(copy);
    std::filesystem::remove_all(directory_);
    directory_ = copy;
  }

  // The files' names and sizes.
  std::map<std::string, uintmax_t> Files() {
    std::map<std::string, uintmax_t> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      std::error_code gone;
      files[entry.path()] = entry.file_size(gone);
    }
    return files;
  }

  // False if a flush or a compaction changed files during the copy.
  bool TryCopy(const std::string& copy) {
    std::filesystem::remove_all(copy);
    const std::map<std::string, uintmax_t> before = Files();
    std::error_code failed;
    std::filesystem::copy(directory_, copy, std::filesystem::copy_options::recursive, failed);
    return !failed && Files() == before;
  }

  TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path() + "/0";
  int copies_ = 0;
  std::mt19937 random_;
  std::unique_ptr<RocksDbKvEngine> kv_;
  Model model_;
};

TEST_P(RocksDbRandomTest, BehavesLikeAMap) {
  for (int step = 0; step < 400 && !HasFatalFailure(); ++step) {
    SCOPED_TRACE(absl::StrCat("seed ", GetParam(), " step ", step));
    Transact();
    Compare(*kv_, model_);
    if (Below(60) == 0) Open(directory_);
    if (Below(60) == 0) OpenACopy();
  }
  ASSERT_THAT(kv_->Scan({.limit = 100000}), IsOkAndHolds(Scan(model_, {.limit = 100000})));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RocksDbRandomTest, testing::Values(1u, 2u, 3u, std::random_device()()));

}  // namespace
}  // namespace entrepot::kv
