-- Grades, and a pass mark for each quiz.
ALTER TABLE submissions ADD COLUMN grade INTEGER;
ALTER TABLE submissions ADD COLUMN feedback TEXT NOT NULL DEFAULT '';
ALTER TABLE quizzes ADD COLUMN pass_percent INTEGER NOT NULL DEFAULT 60;
