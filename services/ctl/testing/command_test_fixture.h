#ifndef ENTREPOT_SERVICES_CTL_TESTING_COMMAND_TEST_FIXTURE_H_
#define ENTREPOT_SERVICES_CTL_TESTING_COMMAND_TEST_FIXTURE_H_

#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "services/ctl/client/http_client.h"
#include "services/kv/testing/temporary_directory.h"

namespace entrepot::ctl {

// A registry whose answers a test writes in advance.
class FakeHttpClient : public HttpClient {
 public:
  // A request without an answer fails the test.
  absl::StatusOr<HttpAnswer> Send(const HttpRequest& request) override;

  // The answer to the next request that has none yet. Requests of /token are answered apart, by `token`.
  void Answer(std::string body) { AnswerWith(HttpAnswer{200, std::move(body)}); }
  void AnswerWith(absl::StatusOr<HttpAnswer> answer) { answers_.push_back(std::move(answer)); }
  size_t unused_answers() const { return answers_.size(); }

  HttpAnswer token{200, R"({"token": "t0k3n"})"};
  // The requests of /token, and all others.
  std::vector<HttpRequest> logins;
  std::vector<HttpRequest> requests;

 private:
  std::deque<absl::StatusOr<HttpAnswer>> answers_;
};

// Executes command lines as the account "admin" with the password "s3cret", given by the environment, at
// http://localhost:5000.
class CommandTest : public testing::Test {
 protected:
  struct Outcome {
    int code;
    std::string out;
    std::string err;
  };

  CommandTest();
  ~CommandTest() override;

  // `input` is the standard input.
  Outcome Run(const std::vector<std::string>& words, const std::string& input = "");

  // Executes a command that sends one request, answered by `answer`, and succeeds. Returns its output. Checks that the
  // request was a POST to `path` with the JSON `body` and the token.
  std::string RunAndExpectPost(const std::vector<std::string>& words, const std::string& path, const std::string& body,
                               const std::string& answer, int code = 0);
  std::string Administer(const std::vector<std::string>& words, const std::string& body, const std::string& answer) {
    return RunAndExpectPost(words, "/entrepot/v1/administer", body, answer);
  }
  // The same for a command that starts the job `start`, which ends at once with the result `result`, as
  // R"("scrub": {})".
  std::string RunJob(const std::vector<std::string>& words, const std::string& start, const std::string& result,
                     int code = 0);

  // Expects that the command sends nothing, prints nothing to the standard output and exits with kUsage. Returns the
  // error, which is checked to be one line.
  std::string UsageError(const std::vector<std::string>& words);
  // Expects that the registry refuses the command's request with a 403, and that the command exits with kFailed and
  // an error that contains the registry's.
  void ExpectRefusalIsReported(const std::vector<std::string>& words);

  // Creates a file in a temporary directory; returns its path.
  std::string WriteFile(const std::string& name, const std::string& content);
  std::string PathOf(const std::string& name) const { return directory_.path() + "/" + name; }

  FakeHttpClient http_;

 private:
  kv::TemporaryDirectory directory_;
};

// Whether two texts are the same JSON value.
testing::AssertionResult IsSameJson(const std::string& text, const std::string& expected);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_TESTING_COMMAND_TEST_FIXTURE_H_
