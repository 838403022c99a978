#ifndef ENTREPOT_GATEWAY_HTTP_TESTING_TEST_HANDLER_H_
#define ENTREPOT_GATEWAY_HTTP_TESTING_TEST_HANDLER_H_

#include <atomic>
#include <string>

#include "gateway/http/handler.h"

namespace entrepot::gateway::http::testing {

// Responds by path:
//   /echo           the request's body
//   /describe       the parts of the request, one a line
//   /refuse         401 without reading the body
//   /fail           the status code of reading the body, as text
//   /file?a-b       bytes a to b-1 of a file with file_contents()
//   /cold-file?a-b  the same, after the file was dropped from the page cache
//   /missing-bytes  a file body that is longer than the file
//   /stream?n       n bytes of a stream that repeats "0123456789"
//   /broken         a stream that fails after 10 of 20 bytes
//   /empty          204
//   /wait           "waited", after release() was called
//   /throw          throws
// Other paths: 404. The response to HEAD has head_content_length 42.
class TestHandler : public Handler {
 public:
  TestHandler();
  ~TestHandler() override;

  boost::asio::awaitable<Response> Handle(Request& request) override;
  Response Refuse(int status, absl::string_view message) override;

  const std::string& file_contents() const { return file_contents_; }
  void release() { released_ = true; }
  int waiting() const { return waiting_; }
  int handled() const { return handled_; }

 private:
  const std::string file_path_;
  const std::string file_contents_;
  std::atomic<bool> released_{false};
  std::atomic<int> waiting_{0};
  std::atomic<int> handled_{0};
};

// The bytes of a stream of length `size`.
std::string Digits(size_t size);

}  // namespace entrepot::gateway::http::testing

#endif  // ENTREPOT_GATEWAY_HTTP_TESTING_TEST_HANDLER_H_
