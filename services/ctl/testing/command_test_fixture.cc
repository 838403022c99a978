#include "services/ctl/testing/command_test_fixture.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "gmock/gmock.h"
#include "services/ctl/program.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

constexpr char kRegistry[] = "http://localhost:5000";

}  // namespace

absl::StatusOr<HttpAnswer> FakeHttpClient::Send(const HttpRequest& request) {
  if (absl::StrContains(request.url, "/token?")) {
    logins.push_back(request);
    return token;
  }
  requests.push_back(request);
  if (answers_.empty()) {
    ADD_FAILURE() << "unexpected " << request.method << " " << request.url << " " << request.body;
    return absl::UnavailableError("the test has no answer");
  }
  absl::StatusOr<HttpAnswer> answer = std::move(answers_.front());
  answers_.pop_front();
  if (answer.ok() && request.on_bytes && answer->status == request.on_bytes_status) {
    RETURN_IF_ERROR(request.on_bytes(answer->body));
    answer->body.clear();
  }
  return answer;
}

CommandTest::CommandTest() {
  ::unsetenv("ENTREPOT_REGISTRY");
  ::setenv("ENTREPOT_USERNAME", "admin", /*overwrite=*/1);
  ::setenv("ENTREPOT_PASSWORD", "s3cret", /*overwrite=*/1);
}

CommandTest::~CommandTest() { EXPECT_EQ(http_.unused_answers(), 0u) << "requests that the command did not send"; }

CommandTest::Outcome CommandTest::Run(const std::vector<std::string>& words, const std::string& input) {
  std::istringstream stream(input);
  std::streambuf* const before = std::cin.rdbuf(stream.rdbuf());
  std::cin.clear();
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.code = RunEntrepotctl(words, http_);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  std::cin.rdbuf(before);
  return outcome;
}

std::string CommandTest::RunAndExpectPost(const std::vector<std::string>& words, const std::string& path,
                                          const std::string& body, const std::string& answer, int code) {
  http_.Answer(answer);
  const size_t sent = http_.requests.size();
  const Outcome outcome = Run(words);
  EXPECT_EQ(outcome.code, code) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(http_.requests.size(), sent + 1);
  if (http_.requests.size() > sent) {
    const HttpRequest& request = http_.requests[sent];
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, kRegistry + path);
    EXPECT_EQ(request.token, "t0k3n");
    EXPECT_TRUE(IsSameJson(request.body, body));
  }
  return outcome.out;
}

std::string CommandTest::RunJob(const std::vector<std::string>& words, const std::string& start,
                                const std::string& result, int code) {
  return RunAndExpectPost(words, "/entrepot/v1/maintain", absl::StrCat(R"({"startJob": )", start, "}"),
                          absl::StrCat(R"({"job": {"id": "7", "state": "DONE", )", result, "}}"), code);
}

std::string CommandTest::UsageError(const std::vector<std::string>& words) {
  const size_t sent = http_.requests.size() + http_.logins.size();
  const Outcome outcome = Run(words);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, testing::MatchesRegex("entrepotctl: [^\n]+\n"));
  EXPECT_EQ(http_.requests.size() + http_.logins.size(), sent);
  return outcome.err;
}

void CommandTest::ExpectRefusalIsReported(const std::vector<std::string>& words) {
  http_.AnswerWith(HttpAnswer{403, R"({"errors": [{"code": "DENIED", "message": "not an administrator"}]})"});
  const Outcome outcome = Run(words);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "entrepotctl: the registry answered 403 DENIED: not an administrator\n");
}

std::string CommandTest::WriteFile(const std::string& name, const std::string& content) {
  const std::string path = PathOf(name);
  std::ofstream(path) << content;
  return path;
}

testing::AssertionResult IsSameJson(const std::string& text, const std::string& expected) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(text, error);
  if (error) return testing::AssertionFailure() << "not JSON: " << text;
  if (value == boost::json::parse(expected)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << text << " is not " << expected;
}

}  // namespace entrepot::ctl
