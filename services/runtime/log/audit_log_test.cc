#include "services/runtime/log/audit_log.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "boost/json/parse.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

using ::testing::HasSubstr;

class AuditLogTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(directory_); }

  std::vector<std::string> Lines() const {
    std::ifstream file(path_);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return absl::StrSplit(text, '\n', absl::SkipEmpty());
  }
  double Lost() const { return registry_->Collect().at(0).metric.at(0).counter.value; }

  const std::string directory_ =
      absl::StrCat(testing::TempDir(), "/", testing::UnitTest::GetInstance()->current_test_info()->name());
  const std::string path_ = directory_ + "/audit.jsonl";
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
};

TEST_F(AuditLogTest, AppendsToAFileThatOnlyItsOwnerCanRead) {
  for (const char* account : {"ci", "prod\n\""}) {
    ASSERT_OK_AND_ASSIGN(const auto log, AuditLog::Open(path_, registry_));
    log->Write("login", {{"account", account}, {"decision", "allowed"}});
  }
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 2u);
  const auto first = boost::json::parse(lines[0]).as_object(), second = boost::json::parse(lines[1]).as_object();
  EXPECT_EQ(first.at("message"), "audit");
  EXPECT_EQ(first.at("event"), "login");
  EXPECT_EQ(first.at("account"), "ci");
  EXPECT_EQ(second.at("account"), "prod\n\"");
  struct stat status;
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(AuditLogTest, WithoutAFileWritesToTheProcessLogAtEveryLevel) {
  ASSERT_OK_AND_ASSIGN(const auto log, AuditLog::Open("", registry_));
  SetLogLevel(LogLevel::kError);
  testing::internal::CaptureStderr();
  log->Write("login", {{"account", "ci"}});
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("\"event\":\"login\",\"account\":\"ci\""));
  SetLogLevel(LogLevel::kInfo);
}

TEST_F(AuditLogTest, NamesAFileThatCannotBeOpened) {
  const auto log = AuditLog::Open(directory_ + "/none/audit", registry_);
  EXPECT_THAT(log, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(std::string(log.status().message()), HasSubstr(directory_ + "/none/audit"));
}

TEST_F(AuditLogTest, ClientsCannotFillTheDisk) {
  {
    ASSERT_OK_AND_ASSIGN(const auto log, AuditLog::Open(path_, registry_));
    for (int i = 0; i < 1000; ++i) log->WriteLimited("access", "192.0.2.1 invalid_token", {{"number", i}});
    log->WriteLimited("access", "192.0.2.2 invalid_token", {});
    log->WriteLimited("login", "192.0.2.1 invalid_token", {});
    log->Write("access", {{"account", "ci"}});
  }
  int64_t events = 0;
  const std::vector<std::string> lines = Lines();
  for (const std::string& line : lines) {
    const auto fields = boost::json::parse(line).as_object();
    events += fields.contains("count") ? fields.at("count").as_int64() : 1;
  }
  EXPECT_EQ(events, 1003);
  // Two lines a second on a machine that stalls; mostly 5 in all.
  EXPECT_LT(lines.size(), 100u);
  EXPECT_GE(registry_->Collect().at(1).metric.at(0).counter.value, 900);
}

TEST_F(AuditLogTest, CountsLostLinesAndLogsThemOnce) {
  ASSERT_OK_AND_ASSIGN(const auto log, AuditLog::Open("/dev/full", registry_));
  testing::internal::CaptureStderr();
  log->Write("login", {});
  log->Write("login", {});
  const std::string errors = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
  EXPECT_THAT(errors, HasSubstr("No space left on device"));
  EXPECT_EQ(Lost(), 2);
}

TEST_F(AuditLogTest, SeveralLogsMayAppendToOneFile) {
  ASSERT_OK_AND_ASSIGN(const auto one, AuditLog::Open(path_, registry_));
  ASSERT_OK_AND_ASSIGN(const auto two, AuditLog::Open(path_, registry_));
  std::vector<std::thread> threads;
  for (AuditLog* log : {one.get(), two.get(), one.get(), two.get()}) {
    threads.emplace_back([log] {
      for (int i = 0; i < 100; ++i) log->Write("login", {{"account", std::string(200, 'x')}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<std::string> lines = Lines();
  EXPECT_EQ(lines.size(), 400u);
  for (const std::string& line : lines) EXPECT_NO_THROW(boost::json::parse(line)) << line;
}

}  // namespace
}  // namespace entrepot::runtime
