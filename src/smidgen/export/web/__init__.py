"""A folder for any static web host, in which the model runs in the reader's browser.

``page`` holds what the browser gets: plain modules of JavaScript, a style and the page itself, no build step and no
code of others.
"""
