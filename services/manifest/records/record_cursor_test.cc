#include "services/manifest/records/record_cursor.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

// Notes the largest result of a scan.
class MeasuredReader : public kv::KvReader {
 public:
  explicit MeasuredReader(kv::KvReader* reader) : reader_(*reader) {}

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override { return reader_.Get(key); }
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override {
    return reader_.MultiGet(keys);
  }
  absl::StatusOr<std::vector<kv::KeyValue>> Scan(const kv::ScanOptions& options) override {
    absl::StatusOr<std::vector<kv::KeyValue>> found = reader_.Scan(options);
    size_t bytes = 0;
    for (const kv::KeyValue& record : *found) bytes += record.size_bytes();
    bytes_max_ = std::max(bytes_max_, bytes);
    ++scans_;
    return found;
  }
  size_t bytes_max() const { return bytes_max_; }
  size_t scans() const { return scans_; }

 private:
  kv::KvReader& reader_;
  size_t bytes_max_ = 0;
  size_t scans_ = 0;
};

class RecordCursorTest : public testing::Test {
 protected:
  RecordCursorTest() : reader_(&kv_) {}

  void Write(const std::string& key, size_t size_bytes) {
    kv::KvEngine& engine = kv_;
    ASSERT_OK(engine.Transact({{key}}, [&](kv::KvTransaction& transaction) {
      transaction.Put(key, std::string(size_bytes, 'x'));
      return absl::OkStatus();
    }));
    written_.push_back(key);
  }
  std::vector<std::string> Read() {
    RecordCursor cursor(&reader_, "p/", "");
    std::vector<std::string> keys;
    while (const kv::KeyValue* record = cursor.Next().value()) keys.push_back(record->key);
    return keys;
  }

  kv::MemoryKvEngine kv_;
  MeasuredReader reader_;
  std::vector<std::string> written_;
};

TEST_F(RecordCursorTest, HoldsFewLargeRecordsBehindManySmallOnes) {
  for (int i = 0; i < 2000; ++i) Write(absl::StrCat("p/a", 10'000 + i), 10);
  for (int i = 0; i < 100; ++i) Write(absl::StrCat("p/b", 100 + i), 200 * 1024);
  EXPECT_EQ(Read(), written_);
  EXPECT_LE(reader_.bytes_max(), 800u * 1024);
}

TEST_F(RecordCursorTest, ReadsManySmallRecordsInFewScans) {
  for (int i = 0; i < 3000; ++i) Write(absl::StrCat("p/", 10'000 + i), 10);
  EXPECT_EQ(Read(), written_);
  EXPECT_LE(reader_.scans(), 8u);
}

TEST_F(RecordCursorTest, ReadsNothingOfNothing) { EXPECT_EQ(Read(), written_); }

}  // namespace
}  // namespace entrepot::manifest
